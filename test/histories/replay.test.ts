import { readdir, readFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { Run } from '../../src/core/run.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, stock } from '../support/desk.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/**
 * Runs as earlier versions stored them, in the middle of their work. Today's catalogue reads every one of them, and takes it
 * to its end without doing again what was done. A run is never taken out of here; each form of record gets one.
 */

const redis = redisForFile();
const folder = new URL('.', import.meta.url);
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
let engine: TestEngine;
let world: FakeWorld;

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients);
  await engine.redis.flushall();
  return () => engine.close();
});

test.each(files)('%s', async (name) => {
  const raw: unknown = JSON.parse(await readFile(new URL(name, folder), 'utf8'));
  const old = Run.parse(raw);
  await engine.store.create({ run: { ...old, version: 1 }, events: [] }, undefined);
  const desk = createDesk(engine);
  const run = await desk.lap(old.id);
  await desk.leases.stop();
  const begun = Object.keys(old.steps).length > 0;
  if (old.state === 'awaiting') expect(run.state).toBe(Number(old.expiresAt) > Date.now() ? 'awaiting' : 'expired');
  // What was approved under a policy with fewer terms than today's is asked anew: the approval was of that policy.
  else if (old.decisions.length > 0 && !begun) expect(run).toMatchObject({ state: 'awaiting', replanned: true });
  else expect(run, run.fault?.message).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  if (begun) expect(world.applied).toEqual([]);
});
