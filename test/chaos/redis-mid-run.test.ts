import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRunQueue } from '../../jobs/queue.ts';
import { startSweeper } from '../../jobs/sweeper.ts';
import { createWorker } from '../../jobs/worker.ts';
import { verifyChain } from '../../src/core/audit.ts';
import { isOver } from '../../src/core/run.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { request } from '../../src/engine/request.ts';
import { type Connection, connectStore, connectWorker } from '../../src/store/connection.ts';
import { queuePrefix } from '../../src/store/keys.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { stock } from '../support/desk.ts';
import { ana, quiet, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/**
 * Bots and workers over one Redis that is killed, or falls silent, in the middle of runs. Nothing acknowledged is lost (I1),
 * nothing is done twice (I2), each run ends once (I4), and the audit chain holds (I6).
 */

const redis = redisForFile();
const apps = Array.from({ length: 12 }, (_, n) => `app${n}`);
const image = { image: '127.0.0.1:5000/web' };
const settings = { ...testSettings, apps: Object.fromEntries(apps.map((app) => [app, image])) };
let world: FakeWorld;
let bot: TestEngine;
let stops: (() => Promise<unknown>)[];

async function ready(connection: Connection): Promise<Connection> {
  connection.on('error', () => {});
  if (connection.status !== 'ready') await once(connection, 'ready');
  stops.push(async () => connection.disconnect());
  return connection;
}

/** A worker as main.ts wires it, with its own connections. */
async function startWorker(name: string): Promise<void> {
  const engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  stops.push(async () => engine.close());
  const queue = createRunQueue(await ready(connectStore(redis().url)), queuePrefix);
  engine.wake = queue.wake;
  const leases = createLeases(engine.store, name, quiet);
  const worker = createWorker(await ready(connectWorker(redis().url)), {
    engine,
    leases,
    prefix: queuePrefix,
    log: quiet,
  });
  const sweeper = startSweeper({ store: engine.store, wake: queue.wake, log: quiet });
  stops.push(sweeper.stop, worker.close, queue.close);
}

beforeEach(async () => {
  stops = [];
  world = fakeWorld();
  stock(world);
  world.rolloutMs = 800;
  bot = await testEngine(redis().url, world.clients, { settings: () => settings });
  await bot.redis.flushall();
  await Promise.all(['one', 'two', 'three'].map(startWorker));
});
afterEach(async () => {
  for (const stop of stops.reverse()) await Promise.race([stop().catch(() => {}), sleep(3_000)]);
  bot.close();
});

const ask = (app: string) =>
  request(bot, {
    actor: ana,
    operation: 'deploy',
    input: { app, env: 'staging', tag: 'v1' },
    origin: { surface: 'rest' },
  });

async function allWell(ids: readonly string[], withinMs: number): Promise<void> {
  const state = async (id: string) => (await bot.store.read(id).catch(() => undefined))?.state ?? 'away';
  const open = async () => (await Promise.all(ids.map(state))).filter((each) => each === 'away' || !isOver(each));
  await expect.poll(open, { timeout: withinMs, interval: 100 }).toEqual([]);
  expect(new Set(await Promise.all(ids.map(state)))).toEqual(new Set(['finished']));
  expect(world.applied.map(({ run }) => run).sort()).toEqual([...ids].sort());
  for (const id of ids) {
    const ends = (await bot.store.events(id, '', 100)).filter(({ event }) => event.text === 'finished');
    expect(ends).toHaveLength(1);
  }
  while ((await bot.audit.seal()) > 0);
  const records = await bot.audit.read({ limit: 10_000 });
  expect(verifyChain(records, await bot.audit.head()).faults).toEqual([]);
  expect(records.filter(({ text }) => text === 'finished')).toHaveLength(ids.length);
}

test('Redis killed in the middle of runs, and back after ten seconds', { timeout: 90_000 }, async () => {
  const ids = (await Promise.all(apps.map(ask))).map(({ id }) => id);
  await expect.poll(() => world.applied.length, { timeout: 10_000 }).toBeGreaterThan(3);
  // What was acknowledged lies in the append-only file within a second (appendfsync everysec); a killed process loses none of it.
  await redis().kill();
  await expect(ask('app0')).rejects.toMatchObject({ code: 'STORE_DOWN' });
  await sleep(10_000);
  await redis().start();
  await allWell(ids, 30_000);
});

test('Redis silent for thirty seconds: the runs go on by themselves, and new requests are refused within three', {
  timeout: 120_000,
}, async () => {
  const ids = (await Promise.all(apps.slice(0, 6).map(ask))).map(({ id }) => id);
  await expect.poll(() => world.applied.length, { timeout: 10_000 }).toBeGreaterThan(2);
  redis().pause();
  const began = performance.now();
  await expect(ask('app7')).rejects.toMatchObject({ code: 'STORE_DOWN' });
  expect(performance.now() - began).toBeLessThan(3_000);
  await sleep(30_000);
  redis().resume();
  await allWell(ids, 30_000);
});

test('three workers, each poke delivered five times: one of them works', { timeout: 60_000 }, async () => {
  const queue = createRunQueue(await ready(connectStore(redis().url)), queuePrefix);
  stops.push(queue.close);
  const ids = (await Promise.all(apps.map(ask))).map(({ id }) => id);
  await Promise.all(
    Array.from({ length: 5 }, () => [...ids].sort(() => Math.random() - 0.5))
      .flat()
      .map(queue.wake),
  );
  await allWell(ids, 20_000);
});
