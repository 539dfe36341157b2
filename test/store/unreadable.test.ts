import { beforeEach, expect, test } from 'vitest';
import { guarded } from '../../src/store/connection.ts';
import { keys } from '../../src/store/keys.ts';
import { createAlertStore, createNoticeStore } from '../../src/store/notices.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ben, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** What is stored and cannot be read is told of as such: Redis can be reached. */

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients);
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const told = (about: string, problem: string) => ({
  code: 'RECORD_UNREADABLE',
  message: expect.stringMatching(
    new RegExp(`^The stored record .*${about.replace(/[{}*#]/g, '.')} cannot be read: ${problem}`),
  ),
  hint: expect.stringContaining('run that version'),
});

const places: [string, string, (id: string) => Promise<unknown>, (id: string) => Promise<unknown>][] = [
  ['a run', ':run:ID', (id) => engine.redis.hset(keys.run(id), 'record', '{"id":1}'), (id) => engine.store.read(id)],
  [
    'a run that a worker takes',
    ':run:ID',
    (id) => engine.redis.hset(keys.run(id), 'record', '{"id":1}'),
    (id) => engine.store.lease(id, 'w', 1_000),
  ],
  [
    'a wish to stop',
    ':run:ID#cancel',
    (id) => engine.redis.hset(keys.run(id), 'cancel', '{"id":1}'),
    (id) => engine.store.lease(id, 'w', 1_000),
  ],
  [
    'an event',
    ':events:ID',
    (id) => engine.redis.xadd(keys.events(id), '*', 'event', '{"id":1}'),
    (id) => engine.store.events(id, '', 100),
  ],
  [
    'what somebody said to a run',
    ':steers:ID',
    (id) => engine.redis.rpush(keys.steers(id), '1:{"id":1}'),
    (id) => engine.store.steers(id),
  ],
  [
    'where its message is',
    ':run:ID#shown',
    (id) => engine.redis.hset(keys.run(id), 'shown', '{"id":1}'),
    (id) => createNoticeStore(engine.redis).shown({ kind: 'run', id }),
  ],
  [
    'an alert',
    ':alert:ID',
    (id) => engine.redis.hset(keys.alert(id), 'record', '{"id":1}'),
    (id) => createAlertStore(engine.redis).read(id),
  ],
  [
    'a lock',
    ':locks#*@staging',
    () => engine.redis.hset(keys.locks, '*@staging', '{"id":1}'),
    () => engine.clients.locks.all(),
  ],
  [
    'a delegation',
    ':delegations#ana',
    () => engine.redis.hset(keys.delegations, 'ana', '{"id":1}'),
    () => engine.delegations.all(),
  ],
];

test.each(places)('%s that cannot be read is named, with what is wrong with it', async (_name, about, write, read) => {
  const id = await desk.deploy('production');
  await write(id);
  await expect(read(id)).rejects.toMatchObject(told(about.replace('ID', id), '\\w+: '));
});

test('what is no JSON at all says so, and what it holds stands nowhere', async () => {
  const id = await desk.deploy('production');
  await engine.redis.hset(keys.run(id), 'record', 'hunter2');
  const problem = await engine.store.read(id).catch((thrown: unknown) => thrown);
  expect(problem).toMatchObject(told(`:run:${id}`, 'is not JSON'));
  expect(JSON.stringify(problem)).not.toContain('hunter2');
  expect(await engine.store.recent(10)).toEqual([]);
});

test('an answer of Redis that is of no known form is not “Redis cannot be reached”', async () => {
  await engine.redis.hset(keys.auditHead, { seq: 'many', hash: 'f'.repeat(64) });
  await expect(engine.audit.head()).rejects.toMatchObject(told('that was asked for', 'seq: '));
  const away = guarded(async () => {
    throw new Error('Connection is closed.');
  });
  await expect(away).rejects.toMatchObject({ code: 'STORE_DOWN' });
});

test('a run that needs such a record is not ended by it: it goes on once the record can be read, or is gone', async () => {
  const id = await desk.deploy('production');
  await desk.lap(id);
  await desk.approve(id, ben);
  await engine.redis.hset(keys.delegations, 'ana', '{"id":1}');
  for (let laps = 0; laps < 2; laps++) {
    const began = performance.now();
    await expect(desk.lap(id)).rejects.toMatchObject({ code: 'RECORD_UNREADABLE' });
    expect(performance.now() - began, 'no worker is kept busy with it').toBeGreaterThan(2_000);
  }
  expect(await desk.run(id)).toMatchObject({ state: 'running' });
  const notes = (await engine.store.events(id, '', 100)).filter(({ event }) => event.kind === 'note');
  expect(notes.map(({ event }) => event.text)).toEqual([expect.stringContaining('delegations#ana cannot be read: ')]);
  expect(world.applied).toEqual([]);
  await engine.redis.hdel(keys.delegations, 'ana');
  expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
});
