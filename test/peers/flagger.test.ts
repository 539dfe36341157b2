import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { at } from '../../src/core/json.ts';
import { allWell, canaryBench } from '../support/canary-bench.ts';
import { imageOf } from '../support/watched-cluster.ts';

/** Known failures of Flagger, each in the situation in which it was seen. https://github.com/fluxcd/flagger/issues/N */

const bench = canaryBench({ judged: true });
const stableImage = () => String(imageOf(bench.cluster.get('staging/web')));

test('#30: the canary’s pods get another version while they are judged, and that one would be promoted unjudged', async () => {
  const id = await bench.canaryAt(25);
  const containers = [{ name: 'web', image: '127.0.0.1:5000/web:v3' }];
  bench.change('staging/web-canary', { template: { spec: { containers } } });
  expect(await bench.over(id)).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', detail: 'somebody else changed Deployment/web-canary meanwhile' },
  });
  expect(stableImage()).toContain('web:v1');
  expect(bench.cluster.weights()).toEqual({ canary: 0, stable: 100 });
});

const automatic = (weights: number[]) =>
  bench.desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', weights, bake: '1ms' });
const note = async (id: string, step: string) => (await bench.desk.run(id)).steps[step]?.note;

test('#1011: there is traffic at first and none later, and the canary still advances on what it was at first', {
  timeout: 60_000,
}, async () => {
  const none = { requests: 0, failures: 0 };
  bench.counts = (share) => (share === 0 ? allWell(0) : { canary: none, stable: none });
  const id = await automatic([25, 50, 75]);
  const working = bench.desk.settle([id], 50_000);
  await expect.poll(() => note(id, 'weight 50'), { timeout: 20_000 }).toContain('50 more requests at this share');
  await sleep(5_000);
  expect(bench.cluster.weights().canary).toBe(50);
  bench.counts = allWell;
  expect((await working)[0]).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
});

test('#1689: no values found for the metric, and the canary advances all the same', { timeout: 40_000 }, async () => {
  bench.counts = undefined;
  const run = await bench.over(await automatic([10, 50]));
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'unknown' } });
  expect(Math.max(...bench.given.map(({ weight }) => weight))).toBe(10);
  expect(stableImage()).toContain('web:v1');
});

test('#1801: the canary fails while it waits for a person, and nothing rolls it back', {
  timeout: 40_000,
}, async () => {
  const id = await bench.canaryAt(10, 50);
  bench.counts = () => ({ canary: { requests: 400, failures: 100 }, stable: { requests: 3_600, failures: 0 } });
  expect(await bench.over(id)).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', reason: 'regression' },
  });
  expect(bench.cluster.weights()).toEqual({ canary: 0, stable: 100 });
});

test('#1591: stable exceeds its deadline in the promotion, and nothing rolls it back', {
  timeout: 40_000,
}, async () => {
  const id = await bench.canaryAt(25);
  const count = { replicas: 4, updated: 4, ready: 4 };
  const trouble = { code: 'not-ready' as const, detail: 'one pod is not ready', logs: [] };
  // All pods of the canary for all of the traffic; then stable's own, of which one does not start.
  bench.world.ends.push({ kind: 'complete', ...count }, { kind: 'timed-out', ...count, updated: 1, ready: 3, trouble });
  await bench.say(id, { kind: 'promote', full: true });
  expect(await bench.over(id)).toMatchObject({ state: 'failed', report: { kind: 'rolled-back' } });
  expect(stableImage()).toContain('web:v1');
  expect(at(bench.cluster.get('staging/web'), 'spec', 'replicas')).toBe(4);
  expect(bench.cluster.weights()).toEqual({ canary: 0, stable: 100 });
  expect(bench.cluster.broken).toEqual([]);
});
