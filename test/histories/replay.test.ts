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

/** Hands on the engine a moment after a run was stored: what has its time must not be over because the history grew old. */
const deskAt = ({ updatedAt }: Run) => createDesk({ ...engine, now: () => updatedAt + 1_000 });

test.each(files)('%s', async (name) => {
  const raw: unknown = JSON.parse(await readFile(new URL(name, folder), 'utf8'));
  const old = Run.parse(raw);
  await engine.store.create({ run: { ...old, version: 1 }, events: [] }, undefined);
  const desk = deskAt(old);
  const run = await desk.lap(old.id);
  await desk.leases.stop();
  const begun = Object.keys(old.steps).length > 0;
  if (old.state === 'awaiting') expect(run.state).toBe('awaiting');
  // What was approved under a policy with fewer terms than today's is asked anew: the approval was of that policy.
  else if (old.decisions.length > 0 && !begun) expect(run).toMatchObject({ state: 'awaiting', replanned: true });
  else {
    const kind = old.operation === 'deploy' ? 'rolled-out' : 'text';
    expect(run, run.fault?.message).toMatchObject({ state: 'finished', report: { kind } });
  }
  if (begun) expect(world.applied).toEqual([]);
});

test('a long text that a step returned is stored once, in the report; what was stored twice before is read as it is', async () => {
  const [read, told] = await Promise.all(
    ['2026-11-logs-read.json', '2026-11-logs-told.json'].map(async (name) =>
      Run.parse(JSON.parse(await readFile(new URL(name, folder), 'utf8'))),
    ),
  );
  const times = (run: Run) => JSON.stringify(run).split('x2v8k | line 5').length - 1;
  const after = async (old: Run | undefined) => {
    if (!old) throw new Error('there is no such history');
    const desk = deskAt(old);
    await engine.store.create({ run: { ...old, version: 1 }, events: [] }, undefined);
    return await desk.lap(old.id).finally(desk.leases.stop);
  };
  const [ended, untouched] = [await after(read), await after(told)];
  expect(ended).toMatchObject({ state: 'finished', report: { kind: 'text', text: expect.stringContaining('line 5') } });
  expect(times(ended)).toBe(1);
  expect(untouched.report).toEqual(ended.report);
  expect(times(untouched)).toBe(2);
});
