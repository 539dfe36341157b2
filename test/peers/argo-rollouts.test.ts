import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { at } from '../../src/core/json.ts';
import type { RunStore } from '../../src/core/ports.ts';
import { steer } from '../../src/engine/steer.ts';
import { canaryBench } from '../support/canary-bench.ts';
import { createDesk } from '../support/desk.ts';
import { ben } from '../support/engine.ts';
import { imageOf } from '../support/watched-cluster.ts';

/** Known failures of Argo Rollouts, each in the situation in which it was seen. https://github.com/argoproj/argo-rollouts/issues/N */

const bench = canaryBench({ rollout: { drain: '2s' } });
const podsOf = (name: string) => at(bench.cluster.get(`staging/${name}`), 'spec', 'replicas');
const stableImage = () => String(imageOf(bench.cluster.get('staging/web')));
const trouble = { code: 'not-ready' as const, detail: 'not ready', logs: [] };
const aborted = { state: 'cancelled', report: { kind: 'rolled-back', reason: 'aborted' } };

function expectAllStable(): void {
  expect(bench.cluster.weights()).toEqual({ canary: 0, stable: 100 });
  expect(stableImage()).toContain('web:v1');
  expect(bench.cluster.get('staging/web-canary')).toBeUndefined();
  expect(bench.cluster.get('Service staging/web-canary')).toBeUndefined();
}

const scaler = (minReplicas: number) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'staging' },
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas, maxReplicas: 20 },
});
const least = () => at(bench.world.objects.get('HorizontalPodAutoscaler staging/web'), 'spec', 'minReplicas');

test('#720: a step that is promoted the moment it is reached is paused a second time', {
  timeout: 40_000,
}, async () => {
  const { engine } = bench;
  let said = false;
  const store: RunStore = {
    ...engine.store,
    commit: async (commit, epoch) => {
      const done = await engine.store.commit(commit, epoch);
      if (!said && commit.run.steps['weight 25']?.memo !== undefined) {
        said = true;
        await steer(engine, commit.run, ben, { kind: 'promote', full: false });
      }
      return done;
    },
  };
  const desk = createDesk({ ...engine, store }, 'quick');
  const steps = [25, 50].map((weight) => ({ weight, manual: true }));
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  const working = desk.settle([id], 30_000);
  const state = async (step: string) => (await desk.run(id)).steps[step]?.state;
  await expect.poll(() => state('weight 50'), { timeout: 15_000 }).toBe('waiting');
  expect(said).toBe(true);
  // Nor was the one promotion taken for two, however often a worker is woken.
  for (let n = 0; n < 3; n++) await desk.lap(id);
  expect(await state('weight 25')).toBe('done');
  expect(await state('weight 50')).toBe('waiting');
  expect(bench.given.map(({ weight }) => weight)).toEqual([25, 50]);
  await bench.say(id, { kind: 'abort' });
  expect((await working)[0]).toMatchObject(aborted);
  await desk.leases.stop();
});

test('#4841: with a least number of pods the weight of an aborted canary never comes to 0', async () => {
  bench.world.objects.set('HorizontalPodAutoscaler staging/web', scaler(3));
  const id = await bench.canaryAt(50);
  await bench.say(id, { kind: 'abort' });
  expect(await bench.over(id)).toMatchObject(aborted);
  expectAllStable();
  expect(least()).toBe(3);
});

test('#4900: an abort waits for stable to be complete, which waits for the abort', async () => {
  const id = await bench.canaryAt(50);
  bench.change('staging/web', { replicas: 8 });
  const { read } = bench.cluster.kube;
  bench.cluster.kube.read = async (ref, signal) => {
    const object = await read(ref, signal);
    return object && ref.name === 'web' && ref.kind === 'Deployment'
      ? { ...object, status: { readyReplicas: 4 } }
      : object;
  };
  await bench.say(id, { kind: 'abort' });
  expect(await bench.over(id)).toMatchObject(aborted);
  expectAllStable();
});

test('#4973: stable is scaled up after an abort, and the aborted canary gets pods again', async () => {
  const id = await bench.canaryAt(50);
  const sizes: unknown[] = [];
  const { merge } = bench.cluster.kube;
  bench.cluster.kube.merge = async (ref, patch, ...rest) => {
    if (ref.name === 'web-canary') sizes.push(at(patch, 'spec', 'replicas'));
    return await merge(ref, patch, ...rest);
  };
  await bench.say(id, { kind: 'abort' });
  const working = bench.over(id);
  await expect.poll(() => bench.cluster.weights().canary, { timeout: 10_000 }).toBe(0);
  bench.change('staging/web', { replicas: 9 });
  expect(await working).toMatchObject(aborted);
  expect(sizes).toEqual([]);
  expectAllStable();
  expect(podsOf('web')).toBe(9);
});

test('#4612: 70 % of the traffic goes to a canary that has the pods for 5 %', { timeout: 40_000 }, async () => {
  const id = await bench.canaryAt(5, 70);
  bench.world.ends.push({ kind: 'timed-out', replicas: 3, updated: 3, ready: 1, trouble });
  await bench.say(id, { kind: 'promote', full: false });
  expect(await bench.over(id)).toMatchObject({ state: 'failed', report: { kind: 'rolled-back' } });
  expect(bench.given.map(({ weight }) => weight)).toEqual([5, 0]);
  expectAllStable();
});

test('#4612: nor does it where the load grows: the canary grows with stable, which no autoscaler shrinks', async () => {
  bench.world.objects.set('HorizontalPodAutoscaler staging/web', scaler(2));
  const id = await bench.canaryAt(50);
  expect(podsOf('web-canary')).toBe(2);
  // Four pods at half of the traffic: an autoscaler would now make two of them, and the others would be missed at an abort.
  expect(least()).toBe(4);
  bench.change('staging/web', { replicas: 12 });
  await bench.engine.redis.zadd('{shipmate}:v1:due', 0, id);
  await bench.desk.lap(id);
  expect(podsOf('web-canary')).toBe(6);
  await bench.say(id, { kind: 'abort' });
  expect(await bench.over(id)).toMatchObject(aborted);
  expect(least()).toBe(2);
});

test('#4564: a new version asked for in mid-canary gets the share of the one before, without a pod', async () => {
  const id = await bench.canaryAt(25);
  const input = { app: 'web', env: 'staging', tag: 'v3', strategy: 'canary', weights: [50], bake: '1ms' };
  const next = await bench.desk.ask('deploy', input);
  await bench.desk.lap(next);
  await bench.say(id, { kind: 'abort' });
  const [, second] = await bench.desk.settle([id, next], 30_000);
  expect(second).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(bench.given.map(({ weight, image }) => `${image} ${weight} %`)).toEqual([
    'web:v2 25 %',
    'web:v2 0 %',
    'web:v3 50 %',
    'web:v3 100 %',
    'web:v3 0 %',
  ]);
  expect(bench.cluster.broken).toEqual([]);
});

test('#4424: with more pods of the canary than of stable the weights go beyond 100', async () => {
  const id = await bench.canaryAt(50);
  bench.change('staging/web', { replicas: 1 });
  await bench.say(id, { kind: 'promote', full: true });
  expect(await bench.over(id)).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(bench.given.map(({ weight, stable }) => [weight, stable])).toEqual([
    [50, 50],
    [100, 0],
    [0, 100],
  ]);
});

test('#4128: new pods never come up, and neither the deadline ends it nor an abort', { timeout: 40_000 }, async () => {
  const input = { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', weights: [50], bake: '1ms' };
  bench.world.ends.push({ kind: 'timed-out', replicas: 1, updated: 1, ready: 0, trouble });
  const first = await bench.over(await bench.desk.ask('deploy', input));
  expect(first).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', detail: 'its pods were not ready in time' },
  });
  expectAllStable();
  bench.world.rolloutMs = 60_000;
  const id = await bench.desk.ask('deploy', input);
  const working = bench.over(id);
  await expect.poll(async () => (await bench.desk.run(id)).steps.prepare?.state).toBe('started');
  await sleep(500);
  await bench.say(id, { kind: 'abort' });
  expect(await working).toMatchObject(aborted);
  expectAllStable();
  expect(Math.max(...bench.given.map(({ weight }) => weight), 0)).toBe(0);
});

test('#4461: an abort is ignored where everything was promoted and the canary’s pods are not ready', async () => {
  const id = await bench.canaryAt(25);
  bench.world.rolloutMs = 60_000;
  await bench.say(id, { kind: 'promote', full: true });
  const working = bench.over(id);
  await expect
    .poll(async () => (await bench.desk.run(id)).steps['weight 100']?.state, { timeout: 10_000 })
    .toBe('started');
  await sleep(500);
  await bench.say(id, { kind: 'abort' });
  expect(await working).toMatchObject(aborted);
  expect(bench.given.map(({ weight }) => weight)).toEqual([25, 0]);
  expectAllStable();
});
