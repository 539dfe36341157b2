import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RunStore } from '../../src/core/ports.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { request } from '../../src/engine/request.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { ana, quiet, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;

beforeEach(async () => {
  world = fakeWorld();
  world.digests.set('127.0.0.1:5000/web:v1', `sha256:${'1'.repeat(64)}`);
  const app = { image: '127.0.0.1:5000/web' };
  const apps = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`web${n}`, app]));
  const settings = () => ({ ...testSettings, apps: { ...testSettings.apps, ...apps } });
  engine = await testEngine(redis().url, world.clients, { settings });
  await engine.redis.flushall();
  return () => engine.close();
});

const ask = (app = 'web') =>
  request(engine, {
    actor: ana,
    operation: 'deploy',
    input: { app, env: 'staging', tag: 'v1' },
    origin: { surface: 'rest' },
  });

class Killed extends Error {}

/** A store whose process dies just before its n-th commit: nothing is written after, nothing is let go. */
function dyingStore(store: RunStore, at: number): RunStore {
  let commits = 0;
  const dead = () => commits > at;
  return {
    ...store,
    commit: async (commit, epoch) => {
      commits += 1;
      if (dead()) throw new Killed();
      return store.commit(commit, epoch);
    },
    renew: async (held, ttl) => (dead() ? { lost: [], cancelled: [], steered: [] } : store.renew(held, ttl)),
    release: async (id, epoch) => (dead() ? undefined : store.release(id, epoch)),
  };
}

/** How many commits an undisturbed run makes. */
async function undisturbed(): Promise<number> {
  let commits = 0;
  const counting: RunStore = {
    ...engine.store,
    commit: async (commit, epoch) => {
      commits += 1;
      return engine.store.commit(commit, epoch);
    },
  };
  const leases = createLeases(counting, 'counter', quiet);
  const { id } = await ask();
  await advance({ ...engine, store: counting }, leases, id);
  await leases.stop();
  world.objects.clear();
  world.applied.length = 0;
  return commits;
}

describe('a worker that dies', () => {
  test('at any write is followed by another, which applies nothing twice', { timeout: 60_000 }, async () => {
    const commits = await undisturbed();
    expect(commits).toBeGreaterThan(5);
    const trial = async (at: number) => {
      const trialWorld = fakeWorld();
      trialWorld.digests.set('127.0.0.1:5000/web:v1', `sha256:${'1'.repeat(64)}`);
      const store = dyingStore(engine.store, at);
      const first = createLeases(store, 'first', quiet);
      const { id } = await ask(`web${at}`);
      await advance({ ...engine, clients: { ...engine.clients, ...trialWorld.clients }, store }, first, id).catch(
        () => {},
      );
      const second = createLeases(engine.store, 'second', quiet);
      const began = Date.now();
      while ((await engine.store.read(id))?.state !== 'finished' && Date.now() - began < 5_000) {
        for (const due of await engine.store.due(50, 100))
          if (due === id)
            await advance({ ...engine, clients: { ...engine.clients, ...trialWorld.clients } }, second, id);
        await sleep(50);
      }
      const run = await engine.store.read(id);
      await Promise.all([first.stop(), second.stop()]);
      return { at, state: run?.state, applied: trialWorld.applied.length, ms: Date.now() - began };
    };
    const results = await Promise.all(Array.from({ length: commits }, (_, at) => trial(at)));
    for (const result of results) {
      expect(result).toMatchObject({ state: 'finished', applied: 1 });
      expect(result.ms).toBeLessThan(5_000);
    }
  });

  test('and wakes up later finds that it no longer owns the run, and changes nothing', {
    timeout: 30_000,
  }, async () => {
    world.rolloutMs = 4_500;
    const frozen: RunStore = { ...engine.store, renew: async () => ({ lost: [], cancelled: [], steered: [] }) };
    const first = createLeases(frozen, 'frozen', quiet);
    const { id } = await ask();
    const sleeper = advance({ ...engine, store: frozen }, first, id);
    await sleep(3_200);
    world.rolloutMs = 0;
    const second = createLeases(engine.store, 'second', quiet);
    await advance(engine, second, id);
    const finished = await engine.store.read(id);
    expect(finished?.state).toBe('finished');
    await sleeper;
    expect(await engine.store.read(id)).toEqual(finished);
    await Promise.all([first.stop(), second.stop()]);
  });

  test('politely hands its run over at once', async () => {
    world.rolloutMs = 60_000;
    const first = createLeases(engine.store, 'first', quiet);
    const { id } = await ask();
    const working = advance(engine, first, id);
    await sleep(200);
    await first.stop();
    await working;
    world.rolloutMs = 0;
    expect(await engine.store.due(50, 100)).toContain(id);
    const second = createLeases(engine.store, 'second', quiet);
    await advance(engine, second, id);
    expect(await engine.store.read(id)).toMatchObject({ state: 'finished' });
    expect(world.applied).toHaveLength(1);
    await second.stop();
  });
});

test('two workers poked at once: one works, the other leaves it alone', async () => {
  world.rolloutMs = 300;
  const workers = ['a', 'b', 'c'].map((owner) => createLeases(engine.store, owner, quiet));
  const { id } = await ask();
  await Promise.all(workers.map((leases) => advance(engine, leases, id)));
  expect(world.applied).toHaveLength(1);
  expect(await engine.store.read(id)).toMatchObject({ state: 'finished' });
  await Promise.all(workers.map((leases) => leases.stop()));
});
