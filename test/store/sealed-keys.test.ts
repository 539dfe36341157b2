import { once } from 'node:events';
import { Queue } from 'bullmq';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRunQueue, provenRun, queueName } from '../../jobs/queue.ts';
import { connectStore } from '../../src/store/connection.ts';
import { keys, queuePrefix } from '../../src/store/keys.ts';
import { createAlertStore, createNoticeStore } from '../../src/store/notices.ts';
import { reseal, startSeal } from '../../src/store/reseal.ts';
import { createSeal, noSeal } from '../../src/store/seal.ts';
import { createStores } from '../../src/store/stores.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, stock } from '../support/desk.ts';
import { ana, ben, quiet, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
const key = Buffer.alloc(32, 7);
const seal = createSeal([key]);
const id = /^[\w.:@*/-]*$/;
const number = /^-?\d+$/;

/** Every key: sealed, authenticated, or open, with what it may hold at most and why nobody gains anything by writing there. */
const kept = {
  run: {
    sealed: ['record', 'cancel', 'shown'],
    open: {
      version: [number, 'compared with the record’s own; a wrong one stops the run’s writes'],
      epoch: [number, 'fences workers; a wrong one makes the holder let go'],
      owner: [id, 'names a process, for people'],
      leaseUntil: [number, 'who works on it, never what is done'],
      steered: [number, 'wakes a worker, which reads the sealed steers'],
      heard: [number, 'wakes a worker, or does not'],
      over: [number, 'the sealed record says by itself whether it is over'],
      touched: [number, 'whether a message is drawn again'],
      lender: [id, 'whose turn is lent; turns order, they permit nothing'],
      'steer:': [number, 'this was said already'],
    },
  },
  alert: { sealed: ['record', 'shown'], open: { touched: [number, 'whether a message is drawn again'] } },
  steers: {
    authenticated: /^\d+:sealed:1:/,
    why: 'a number for the order in front of what is sealed; copies are told apart',
  },
  events: { sealed: ['event'], open: {} },
  due: { open: { member: [id, 'which run somebody looks at; the sealed record says what is done'] } },
  recent: { open: { member: [id, 'ids for lists'] } },
  dirty: { open: { member: [id, 'which message is drawn again'] } },
  changed: { open: { member: [id, 'pub/sub: which message is drawn again'] } },
  turn: { open: { value: [id, 'the order at a place; what runs there was permitted by itself'] } },
  line: { open: { member: [id, 'the order at a place'] } },
  history: { open: { member: [id, 'ids; only runs whose sealed record names the place are taken'] } },
  pace: { open: { '*': [number, 'how long a run may take, as people are told'] } },
  busy: { open: { member: [id, 'names of places'] } },
  trial: { open: { value: [id, 'which run a lost worker is put down to; at worst one waits for a person'] } },
  tickets: { open: { value: [number, 'the order at places'] } },
  locks: { sealed: ['*'], open: {} },
  delegations: { sealed: ['*'], open: {} },
  rate: { open: { member: [id, 'counts requests; who can write here can stop everything anyway'] } },
  reads: { open: { member: [id, 'counts questions; who can write here can delete runs anyway'] } },
  auditInbox: { sealed: ['entry'], open: {} },
  auditAside: {
    open: { problem: [/^/, 'for people to look at'], entry: [/^/, 'what is not believed; nothing reads it again'] },
  },
  auditChain: { chained: 'each record has the hash of the one before, up to the sealed head' },
  auditHead: {
    sealed: ['seal'],
    open: { seq: [number, 'compared with the seal'], hash: [id, 'compared with the seal'] },
  },
  request: { open: { value: [id, 'an id; operation and input of that run are compared with what is asked'] } },
  inbox: { sealed: ['*'], open: {} },
  inboxDue: { open: { member: [id, 'what is read again'] } },
  seen: { open: { value: [number, 'was seen; what comes is still signed'] } },
} as const satisfies Record<keyof typeof keys, object>;

type Rule = { sealed?: readonly string[]; open?: Record<string, readonly [RegExp, string]> } & Record<string, unknown>;

const nameOf = (full: string): keyof typeof keys | undefined => {
  const named = Object.entries(keys).map(([name, made]) => [name, typeof made === 'string' ? made : made('')] as const);
  const fits = named.filter(([name, prefix]) => {
    const made = keys[name as keyof typeof keys]; // a key of `keys`, by the line above
    return typeof made === 'string' ? full === prefix : full.startsWith(prefix);
  });
  return fits.sort(([, a], [, b]) => b.length - a.length)[0]?.[0] as keyof typeof keys | undefined; // as above
};

let engine: TestEngine;
beforeEach(async () => {
  const world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, { seal });
  await engine.redis.flushall();
  return () => engine.close();
});

/** Every kind of thing that is kept, once at least. */
async function live() {
  const desk = createDesk(engine);
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
  const open = await desk.deploy('production', 'v2');
  const run = await desk.lap(open);
  await engine.store.steer(run, { actor: ben, at: 1, wish: { kind: 'pause' } }, 'pause', 'once');
  await engine.store.cancel(run, { actor: ben, at: 1, reason: 'a mistake' });
  await engine.clients.locks.put({ scope: 'web@staging', owner: ana, reason: 'a test', at: 1 });
  await engine.clients.delegations.put({ from: 'ana', to: 'ben', until: Date.now() + 60_000 });
  const [notices, alerts] = [createNoticeStore(engine.redis, seal), createAlertStore(engine.redis, seal)];
  await alerts.put({ id: 'a1', status: 'firing', title: 'down', alerts: [], firstAt: 1, updatedAt: 1 });
  await notices.done({ kind: 'run', id: open }, 0, { channel: 'C1', ts: '1.2', hash: 'h', cursor: '' });
  await notices.done({ kind: 'alert', id: 'a1' }, 0, { channel: 'C1', ts: '1.3', hash: 'h', cursor: '' });
  await engine.store.inbox.put('d1', '{"what":"a push"}', { againMs: 1_000, rememberMs: 60_000 });
  await engine.store.within('staging', 'r1', 5, 60_000);
  while ((await engine.audit.seal()) > 0);
  await engine.audit.add({ at: 1, kind: 'refusal', text: 'no', actor: ana, surface: 'rest', operation: 'deploy' });
  await desk.leases.stop();
  return { desk, open };
}

async function fieldsOf(full: string): Promise<[string, string][]> {
  const { redis: db } = engine;
  switch (await db.type(full)) {
    case 'hash':
      return Object.entries(await db.hgetall(full));
    case 'stream':
      return (await db.xrange(full, '-', '+')).flatMap(([, row]) =>
        row.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, row[at + 1] ?? '']] : [])),
      );
    case 'list':
      return (await db.lrange(full, 0, -1)).map((value) => ['member', value]);
    case 'set':
      return (await db.smembers(full)).map((value) => ['member', value]);
    case 'zset':
      return (await db.zrange(full, '0', '-1')).map((value) => ['member', value]);
    default:
      return [['value', (await db.get(full)) ?? '']];
  }
}

test('each key and field is sealed, authenticated, or open for a reason', async () => {
  await live();
  const wrong: string[] = [];
  const found = new Set<string>();
  for (const full of await engine.redis.keys('*')) {
    const name = nameOf(full);
    if (name === undefined) {
      wrong.push(`${full} is no key of keys.ts`);
      continue;
    }
    found.add(name);
    const rule: Rule = kept[name];
    for (const [field, value] of await fieldsOf(full)) {
      if (rule.chained !== undefined) continue;
      if (rule.authenticated instanceof RegExp ? rule.authenticated.test(value) : false) continue;
      if (rule.sealed?.some((each) => each === field || each === '*') && value.startsWith('sealed:1:')) continue;
      const open = Object.entries(rule.open ?? {}).find(([each]) => each === '*' || field.startsWith(each));
      if (!open?.[1][0].test(value)) wrong.push(`${name} ${field}: ${value.slice(0, 60)}`);
    }
  }
  expect(wrong).toEqual([]);
  expect([...found].sort()).toEqual(
    expect.arrayContaining([
      'run',
      'alert',
      'steers',
      'events',
      'locks',
      'delegations',
      'inbox',
      'auditInbox',
      'auditChain',
      'auditHead',
    ]),
  );
});

describe('what somebody else writes into Redis is not believed:', () => {
  const refusing = (act: () => Promise<unknown>) =>
    expect(act()).rejects.toMatchObject({ code: expect.stringMatching(/^UNSEALED|SEAL_BROKEN$/) });

  test('a plain record over an awaiting run', async () => {
    const { desk, open } = await live();
    const run = await desk.run(open);
    const forged = { ...run, state: 'running', input: { ...run.input, tag: 'v5' } };
    await engine.redis.hset(keys.run(open), 'record', JSON.stringify(forged));
    await refusing(() => engine.store.read(open));
    await refusing(() => engine.store.lease(open, 'w', 1_000));
  });

  test('the record, the wish or the message of another run', async () => {
    const { open } = await live();
    const [done = ''] = (await engine.redis.zrange(keys.recent, '0', '-1')).filter((each) => each !== open);
    const sealed = await engine.redis.hgetall(keys.run(open));
    await engine.redis.hset(keys.run(done), 'record', sealed.record ?? '');
    await refusing(() => engine.store.read(done));
    await engine.redis.hset(keys.run(done), 'shown', sealed.shown ?? '');
    await refusing(() => createNoticeStore(engine.redis, seal).shown({ kind: 'run', id: done }));
    // Another field of the same run.
    await engine.redis.hset(keys.run(open), 'shown', sealed.cancel ?? '');
    await refusing(() => createNoticeStore(engine.redis, seal).shown({ kind: 'run', id: open }));
    await engine.redis.hset(keys.run(open), 'cancel', sealed.shown ?? '');
    await refusing(() => engine.store.lease(open, 'w', 1_000));
  });

  test('a lock or a wish that cannot be read: nobody who could not read it counts as lost, and other runs go on', async () => {
    const desk = createDesk(engine);
    const [one, other] = [await desk.deploy('staging'), await desk.deploy('production')];
    await engine.redis.hset(keys.locks, 'web@staging', '{"scope":"web@staging"}');
    for (let n = 0; n < 3; n++) await refusing(() => engine.store.lease(one, `worker ${n}`, 1_000));
    await engine.redis.hdel(keys.locks, 'web@staging');
    const [held, beside] = await Promise.all([one, other].map((id) => engine.store.lease(id, 'worker', 5_000)));
    if (typeof held !== 'object' || typeof beside !== 'object') throw new Error('no lease');
    expect(held.lost).toBe(0);

    await engine.redis.hset(keys.run(one), 'cancel', '{"actor":{"kind":"token","subject":"eve"},"at":1}');
    await engine.store.steer(await desk.run(other), { actor: ben, at: 1, wish: { kind: 'pause' } }, 'pause', 'once');
    const both = [
      { id: one, epoch: held.epoch },
      { id: other, epoch: beside.epoch },
    ];
    expect(await engine.store.renew(both, 5_000)).toMatchObject({
      lost: [one],
      cancelled: [],
      steered: [{ id: other, count: 1 }],
    });
    await desk.leases.stop();
  });

  test('a delegation, a lock, and one of another scope', async () => {
    await live();
    await engine.redis.hset(keys.delegations, 'ben', JSON.stringify({ from: 'ben', to: 'ana', until: 9e12 }));
    await refusing(() => engine.delegations.all());
    const sealed = (await engine.redis.hget(keys.locks, 'web@staging')) ?? '';
    await engine.redis.hset(keys.locks, '*@*', sealed);
    await refusing(() => engine.clients.locks.all());
    await engine.redis.hset(keys.locks, '*@*', JSON.stringify({ scope: '*@*', owner: ana, reason: 'x', at: 1 }));
    await refusing(() => engine.clients.locks.all());
  });

  test('a steer, plain or again', async () => {
    const { open } = await live();
    const [said = ''] = await engine.redis.lrange(keys.steers(open), 0, -1);
    await engine.redis.rpush(keys.steers(open), `2:${said.slice(2)}`);
    expect(await engine.store.steers(open)).toMatchObject([{ n: 1, wish: { kind: 'pause' } }]);
    const forged = { n: 3, at: 1, actor: ana, wish: { kind: 'promote', full: true } };
    await engine.redis.rpush(keys.steers(open), JSON.stringify(forged));
    await refusing(() => engine.store.steers(open));
  });

  test('an audit entry, and a chain that was written anew', async () => {
    await live();
    await engine.redis.hset(keys.auditHead, 'hash', 'f'.repeat(64));
    await refusing(() => engine.audit.head());
    await engine.redis.hdel(keys.auditHead, 'seal');
    await refusing(() => engine.audit.head());
  });

  test('a job', async () => {
    await live();
    const connection = connectStore(redis().url);
    await once(connection, 'ready');
    const queue = createRunQueue(connection, queuePrefix, seal);
    await queue.wake('r1');
    const jobs = await new Queue(queueName, { connection, prefix: queuePrefix }).getJobs();
    expect(provenRun(seal, queuePrefix, jobs[0]?.data)).toBe('r1');
    for (const data of [{ runId: 'r2' }, { ...jobs[0]?.data, runId: 'r2' }, { runId: 'r2', proof: 'r2' }])
      expect(() => provenRun(seal, queuePrefix, data), JSON.stringify(data)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^UNSEALED|SEAL_BROKEN$/) }),
      );
    expect(provenRun(noSeal, queuePrefix, { runId: 'r2' })).toBe('r2');
    await queue.close();
    connection.disconnect();
  });
});

test('the seal of a head that an older Shipmate left behind counts as none until the day that was named', async () => {
  await live();
  await engine.redis.hset(keys.auditHead, 'hash', 'f'.repeat(64));
  await expect(engine.audit.head()).rejects.toMatchObject({ code: 'UNSEALED' });
  const lenient = createStores(engine.redis, createSeal([key], Date.now() + 60_000));
  expect(await lenient.audit.head()).toMatchObject({ hash: 'f'.repeat(64) });
});

const newer = Buffer.alloc(32, 8);

/** One of each thing that does not end by itself, as a store leaves it that has this seal. */
async function leftBy(old: ReturnType<typeof createSeal>) {
  const stores = createStores(engine.redis, old);
  const before = { ...engine, store: stores.store, audit: stores.audit, delegations: stores.remembered.delegations };
  before.clients = { ...engine.clients, ...stores.remembered };
  const desk = createDesk(before);
  const open = await desk.deploy('production', 'v2');
  await desk.lap(open);
  await before.store.cancel(await desk.run(open), { actor: ben, at: 1 });
  await before.clients.locks.put({ scope: '*@staging', owner: ana, reason: 'a test', at: 1 });
  await before.clients.delegations.put({ from: 'ana', to: 'ben', until: 9e12 });
  const [notices, alerts] = [createNoticeStore(engine.redis, old), createAlertStore(engine.redis, old)];
  await alerts.put({ id: 'a1', status: 'firing', title: 'down', alerts: [], firstAt: 1, updatedAt: 1 });
  for (const subject of [
    { kind: 'run' as const, id: open },
    { kind: 'alert' as const, id: 'a1' },
  ])
    await notices.done(subject, 0, { channel: 'C1', ts: '1.3', hash: 'h', cursor: '' });
  await desk.leases.stop();
  return open;
}

async function allRead(by: ReturnType<typeof createSeal>, open: string): Promise<void> {
  const { store, remembered } = createStores(engine.redis, by);
  expect(await store.read(open)).toMatchObject({ id: open, state: 'awaiting' });
  expect(await remembered.locks.all()).toMatchObject([{ scope: '*@staging' }]);
  expect(await remembered.delegations.all()).toMatchObject([{ from: 'ana' }]);
  expect(await createAlertStore(engine.redis, by).read('a1')).toMatchObject({ title: 'down' });
  const notices = createNoticeStore(engine.redis, by);
  for (const subject of [
    { kind: 'run' as const, id: open },
    { kind: 'alert' as const, id: 'a1' },
  ])
    expect(await notices.shown(subject)).toMatchObject({ ts: '1.3' });
  expect(await store.lease(open, 'w', 1_000)).toMatchObject({ cancel: { actor: ben } });
}

test('a store that had no key gets one: until the day that was named all is read, and sealed at the start', async () => {
  const open = await leftBy(noSeal);
  await expect(engine.store.read(open)).rejects.toMatchObject({ code: 'UNSEALED' });
  const until = Date.now() + 60_000;
  await startSeal(engine.redis, { ENCRYPTION_KEY: key.toString('hex'), ACCEPT_UNSEALED_UNTIL: until }, quiet);
  await allRead(seal, open);
});

test('a key that changes: with the new one before it all is sealed anew, and the old one may go', async () => {
  const open = await leftBy(seal);
  const last = createSeal([newer]);
  await expect(createStores(engine.redis, last).store.read(open)).rejects.toMatchObject({ code: 'SEALED_ELSEWHERE' });
  await startSeal(engine.redis, { ENCRYPTION_KEY: [newer, key].map((each) => each.toString('hex')).join(',') }, quiet);
  await allRead(last, open);
});

test.each([
  ['that waits, and is older than the newest ten thousand', true],
  ['that was set aside, and is in no list', false],
])('a run %s is sealed anew too', async (_name, due) => {
  const open = await leftBy(noSeal);
  await engine.redis.zrem(keys.recent, open);
  if (!due) await engine.redis.zrem(keys.due, open);
  await reseal(engine.redis, createSeal([key], Date.now() + 60_000), quiet);
  await allRead(seal, open);
});

test('what cannot be opened keeps nothing else from being sealed, nor Shipmate from starting, and is told of', async () => {
  const open = await leftBy(createSeal([newer]));
  await engine.redis.hset(keys.locks, 'web@production', 'sealed:1:gone:x');
  const said: object[] = [];
  const log = { ...quiet, warn: (data: object) => void said.push(data) };
  await startSeal(engine.redis, { ENCRYPTION_KEY: [key, newer].map((each) => each.toString('hex')).join(',') }, log);
  expect(said).toEqual([{ left: [expect.stringContaining('#web@production')], count: 1 }]);
  expect(await engine.redis.hget(keys.locks, 'web@production')).toBe('sealed:1:gone:x');
  await engine.redis.hdel(keys.locks, 'web@production');
  await allRead(seal, open);
});
