import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { startAuditFile } from '../../jobs/audit-file.ts';
import { verifyChain } from '../../src/core/audit.ts';
import { figuresOf } from '../../src/core/figures.ts';
import { digestOf } from '../../src/core/json.ts';
import { answer, review } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import { createAuditStore } from '../../src/store/audit.ts';
import { connectStore } from '../../src/store/connection.ts';
import { noSeal } from '../../src/store/seal.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, quiet, slack, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let engine: TestEngine;
let desk: Desk;
let folder: string;

beforeEach(async () => {
  const world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients);
  await engine.redis.flushall();
  desk = createDesk(engine);
  folder = await mkdtemp(join(tmpdir(), 'shipmate-audit-'));
  return async () => {
    await desk.leases.stop();
    engine.close();
    await rm(folder, { recursive: true });
  };
});

const all = async () => {
  while ((await engine.audit.seal()) > 0);
  return await engine.audit.read({ limit: 1_000 });
};

async function approvedDeploy(tag: string) {
  const id = await desk.deploy('production', tag);
  await desk.lap(id);
  await desk.approve(id, ben);
  return await desk.lap(id);
}

test('tells a run whole: request, plan, decision, each step before it acts, and the end', async () => {
  const { id, plan } = await approvedDeploy('v1');
  const records = await all();
  expect(records.map(({ kind, step, text }) => [kind, step ?? '', text])).toEqual([
    ['state', '', 'requested'],
    ['plan', '', 'web:v1, new in production'],
    ['decision', '', 'approved'],
    ['step', 'apply', 'started'],
    ['step', 'apply', 'done'],
    ['step', 'settle', 'started'],
    ['step', 'settle', 'done'],
    ['state', '', 'finished'],
  ]);
  expect(new Set(records.map(({ run }) => run))).toEqual(new Set([id]));
  expect(new Set(records.map(({ trace }) => trace)).size).toBe(1);
  expect(records[2]).toMatchObject({
    actor: ben,
    digest: plan?.digest,
    app: 'web',
    env: 'production',
    rule: expect.any(String),
  });
  expect(records[3]?.image).toContain('web:v1@sha256:');
  expect(verifyChain(records, await engine.audit.head()).faults).toEqual([]);
});

test('has refusals: of requests, of decisions, and wishes to stop', async () => {
  await desk.deploy('production', 'v1', slack('UXXX')).catch(() => {});
  const id = await desk.deploy('production');
  const { plan } = await desk.lap(id);
  await decide(engine, id, { actor: ana, kind: 'approve', digest: plan?.digest ?? '' });
  await engine.store.cancel(await desk.run(id), { actor: ana, at: Date.now(), reason: 'no' });
  await desk.lap(id);
  await expect
    .poll(async () => (await all()).map(({ kind }) => kind).sort())
    .toEqual(['cancel', 'plan', 'refusal', 'refusal', 'state', 'state']);
  const refusals = (await all()).filter(({ kind }) => kind === 'refusal');
  expect(refusals.map(({ text }) => text)).toEqual([
    expect.stringContaining('POLICY_DENIED'),
    'approve refused: own-request',
  ]);
});

test('names whoever did it, also where it was not the requester', async () => {
  const glass = { ...testSettings, breakGlass: { who: ['engineers'], reviewers: ['engineers'], spares: [] } };
  engine.settings = () => glass;
  const id = await desk.ask('deploy', { app: 'web', env: 'production', tag: 'v1' }, ana, 'the shop is down');
  await desk.lap(id);
  await review(engine, id, ben);
  const stopped = await desk.deploy('production', 'v2');
  await desk.lap(stopped);
  await engine.store.cancel(await desk.run(stopped), { actor: ben, at: Date.now(), reason: 'not now' });
  await desk.lap(stopped);
  const turn = await desk.ask('join', { app: 'web', env: 'staging' }, ben);
  await desk.lap(turn);
  await answer(engine, turn, ben, 'Pass');
  const by = (await all()).map(({ text, actor, reason }) => [text, actor, reason]);
  expect(by).toContainEqual(['reviewed', ben, 'the shop is down']);
  expect(by).toContainEqual(['stop asked for: not now', ben, 'not now']);
  expect(by).toContainEqual(['cancelled', ben, undefined]);
  expect(by).toContainEqual(['answered: Pass', ben, undefined]);
});

test('of several sealers at once, and with entries coming in, one chain comes out', async () => {
  const others = [1, 2].map(() => connectStore(redis().url));
  await Promise.all(others.map((other) => new Promise((resolve) => other.once('ready', resolve))));
  const sealers = [engine.audit, ...others.map((other) => createAuditStore(other))];
  let busy = true;
  const sealing = sealers.map(async (sealer) => {
    while (busy) await sealer.seal();
  });
  await Promise.all(Array.from({ length: 30 }, () => desk.deploy('staging')));
  busy = false;
  await Promise.all(sealing);
  const records = await all();
  expect(records).toHaveLength(30);
  expect(verifyChain(records, await engine.audit.head()).faults).toEqual([]);
  for (const other of others) other.disconnect();
});

test.each(['hmget', 'xrange'] as const)(
  'a sealer that another one overtakes before its %s seals nothing twice',
  async (command) => {
    await Promise.all(Array.from({ length: 5 }, () => desk.deploy('staging')));
    const slow = new Redis(redis().url);
    const send = slow.sendCommand.bind(slow);
    vi.spyOn(slow, 'sendCommand').mockImplementation(async (...args: Parameters<typeof send>) => {
      if (args[0].name === command) await engine.audit.seal();
      return await send(...args);
    });
    expect(await createAuditStore(slow).seal()).toBe(0);
    expect(await all()).toHaveLength(5);
    slow.disconnect();
  },
);

test('the file has every record once, also after half a line and a restart; verify finds what is done to it', async () => {
  const path = join(folder, 'audit.jsonl');
  const lines = async () => (await readFile(path, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  await approvedDeploy('v1');
  const written = (await all()).length;
  const first = startAuditFile({ audit: engine.audit, path, log: quiet });
  await expect.poll(lines).toHaveLength(written);
  await first.stop();
  await appendFile(path, '{"seq":9,"half a li');
  await approvedDeploy('v2');
  const second = startAuditFile({ audit: engine.audit, path, log: quiet });
  const total = (await all()).length;
  second.nudge();
  await expect.poll(lines).toHaveLength(total);
  await second.stop();

  const cli = async (...args: string[]) =>
    await promisify(execFile)(process.execPath, ['src/cli.ts', 'audit', 'verify', path, ...args]).then(
      ({ stdout }) => stdout,
      ({ stderr }: { stderr: string }) => `failed: ${stderr}`,
    );
  const { seq, hash } = await engine.audit.head();
  expect(await cli('--head', `${seq}:${hash}`)).toContain(`${total} records, up to ${seq}:${hash}: whole`);
  const good = await lines();
  await writeFile(
    path,
    `${good.map((line, n) => (n === 2 ? line.replace('approved', 'rejected') : line)).join('\n')}\n`,
  );
  expect(await cli()).toContain('failed: record 3 was edited');
  await writeFile(path, `${good.filter((_, n) => n !== 4).join('\n')}\n`);
  expect(await cli()).toContain('record 6 follows record 4');
  await writeFile(path, `${good.slice(0, -1).join('\n')}\n`);
  expect(await cli()).toContain('whole');
  expect(await cli('--head', `${seq}:${hash}`)).toContain('the chain went on');
});

describe('what comes as an entry and is none', () => {
  const inbox = '{shipmate}:v1:audit:inbox';
  const entry = { at: 1, kind: 'state', text: 'x', surface: 'rest', operation: 'deploy' };
  const poison = [
    ['a token whose subject is a list', JSON.stringify({ ...entry, actor: { kind: 'token', subject: ['eve'] } })],
    ['half an entry', '{"at":1,"kind":"sta'],
    ['a kind that nobody knows', JSON.stringify({ ...entry, kind: 'gift', actor: ana })],
    ['nothing', ''],
  ] as const;

  test.each(poison)('is set aside and told, and all behind it goes on: %s', async (_, text) => {
    const told: unknown[] = [];
    const auditor = createAuditStore(engine.redis, noSeal, { error: (...words) => void told.push(words) });
    const before = await desk.deploy('staging');
    await engine.redis.xadd(inbox, '*', 'entry', text, 'entry', JSON.stringify({ ...entry, actor: ben }));
    const after = await desk.deploy('staging', 'v2');
    while ((await auditor.seal()) > 0);
    const records = await all();
    expect(records.map(({ kind, run, actor }) => [kind, run ?? actor])).toEqual([
      ['state', before],
      ['unreadable', { kind: 'webhook', source: 'shipmate' }],
      ['state', ben],
      ['state', after],
    ]);
    expect(records[1]?.text).toContain(digestOf(text));
    expect(records[1]?.text).not.toContain('eve');
    expect(verifyChain(records, await engine.audit.head()).faults).toEqual([]);
    expect(told).toEqual([[{ problem: expect.any(String) }, expect.stringContaining('set aside')]]);
    const [[, fields] = ['', []]] = await engine.redis.xrange('{shipmate}:v1:audit:aside', '-', '+');
    expect(fields).toEqual(['problem', expect.any(String), 'entry', text]);
    expect(await engine.clients.setup.check()).toContainEqual(
      expect.objectContaining({ problem: expect.stringMatching(/^1 entries of the audit log/) }),
    );
  });

  test('in the chain itself stops neither who reads it, nor its file, and is found', async () => {
    for (const tag of ['v1', 'v2', 'v3']) await desk.deploy('staging', tag);
    const [, second] = await all();
    const chain = '{shipmate}:v1:audit:chain';
    const [first, , third] = await engine.redis.xrange(chain, '-', '+');
    await engine.redis.del(chain);
    const bad = JSON.stringify({ ...second, actor: { kind: 'token', subject: ['eve'] } });
    for (const [id, row] of [first, ['2-1', ['record', bad]], third] as [string, string[]][])
      await engine.redis.xadd(chain, id, ...row);
    const path = join(folder, 'audit.jsonl');
    const file = startAuditFile({ audit: engine.audit, path, log: quiet });
    await expect.poll(() => readFile(path, 'utf8').catch(() => '')).toContain('"seq":3');
    await appendFile(path, 'somebody wrote this\n');
    await desk.deploy('staging', 'v4');
    expect(await all()).toHaveLength(4);
    file.nudge();
    await expect.poll(() => readFile(path, 'utf8')).toContain('"seq":4');
    await file.stop();
    expect((await readFile(path, 'utf8')).match(/"seq":1,/g)).toHaveLength(1);
    const records = await engine.audit.read({ limit: 10 });
    expect(verifyChain(records, await engine.audit.head()).faults[0]).toMatchObject({ seq: 2 });
    expect((await desk.done('audit', {})).report).toMatchObject({ kind: 'table' });
    expect((await desk.done('figures', {})).report).toMatchObject({ kind: 'table' });
  });

  test('does not get in by the front: nothing is stored that could not be read', async () => {
    const actor = JSON.parse('{"kind":"token","subject":["eve"]}');
    await expect(desk.deploy('staging', 'v1', actor)).rejects.toThrow();
    const refusal = { ...entry, kind: 'refusal', surface: 'rest', actor } as const;
    await expect(engine.audit.add(refusal)).rejects.toThrow();
    expect(await engine.redis.keys('*')).toEqual([]);
  });

  test('as a run’s record leaves all others readable in lists', async () => {
    const good = await desk.deploy('staging');
    const bad = await desk.deploy('staging');
    const record = { ...(await desk.run(bad)), actor: { kind: 'token', subject: ['eve'] } };
    await engine.redis.hset(`{shipmate}:v1:run:${bad}`, 'record', JSON.stringify(record));
    await engine.redis.rpush('{shipmate}:v1:history:web@staging', bad, good);
    expect((await engine.store.recent(10)).map(({ id }) => id)).toEqual([good]);
    expect((await engine.clients.order.history('web@staging', 10)).map(({ id }) => id)).toEqual([good]);
  });
});

test('delivery figures come from it', async () => {
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v2' });
  await desk.done('rollback', { app: 'web', env: 'staging' });
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v3' });
  const figures = figuresOf(await all(), 10);
  expect(figures).toMatchObject({ deployments: 3, perDay: 0.3, failureRate: 1 / 3 });
  expect(figures.restoreMs).toBeGreaterThan(0);
  expect(figures.leadMs).toBeGreaterThan(0);
  const { report } = await desk.done('figures', { app: 'web', env: 'staging' });
  expect(report).toMatchObject({
    kind: 'table',
    rows: [
      ['deployment frequency', '3 (0.10 a day)'],
      expect.any(Array),
      ['change failure rate', '33 %'],
      expect.any(Array),
    ],
  });
});
