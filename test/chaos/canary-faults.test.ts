import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { fault } from '../../src/core/errors.ts';
import { at } from '../../src/core/json.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';
import type { SteerWish } from '../../src/core/steer.ts';
import { steer } from '../../src/engine/steer.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { freshShop } from '../support/canary-bench.ts';
import type { Desk } from '../support/desk.ts';
import { ben, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import { imageOf, type watchedCluster } from '../support/watched-cluster.ts';

/** What a canary relies on, each failing once in a way of its own. */

const redis = redisForFile();
let engine: TestEngine;
let desk: Desk;
let world: ReturnType<typeof fakeWorld>;
let cluster: ReturnType<typeof watchedCluster>;

const settings = Settings.parse({
  apps: { web: { image: '127.0.0.1:5000/web', rollout: { drain: '1ms', reach: '1ms' } } },
  environments: { staging: { namespace: 'staging', rolloutTimeoutSeconds: 10 } },
  policy: [{ name: 'free' }],
});

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings });
  return () => engine.close();
});
beforeEach(async () => {
  ({ world, cluster, desk } = await freshShop(engine));
  return () => desk.leases.stop();
});

/** A canary at 25 %, which goes on only when somebody says so. */
async function canaryAt25(): Promise<string> {
  const steps = [{ weight: 25, manual: true }];
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  await desk.lap(id);
  expect(cluster.weights().canary).toBe(25);
  return id;
}

const say = async (id: string, wish: SteerWish) => void (await steer(engine, await desk.run(id), ben, wish));
const over = async (id: string): Promise<Run> => (await desk.settle([id], 25_000))[0] ?? expect.unreachable();

test('while the cluster does not answer nothing moves; then it goes on where it was', async () => {
  const id = await canaryAt25();
  cluster.trouble(1_000, false);
  await engine.redis.zadd('{shipmate}:v1:due', 0, id);
  await desk.lap(id);
  expect((await desk.run(id)).state).toBe('running');
  expect(cluster.weights().canary).toBe(25);
  cluster.trouble(0, false);
  await say(id, { kind: 'promote', full: true });
  expect(await over(id)).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(cluster.broken).toEqual([]);
});

test('an abort while the cluster does not answer is done as soon as it does', { timeout: 40_000 }, async () => {
  const id = await canaryAt25();
  cluster.trouble(20, false);
  await say(id, { kind: 'abort' });
  const working = desk.settle([id], 30_000);
  await sleep(6_000);
  expect(isOver((await desk.run(id)).state)).toBe(false);
  cluster.trouble(0, false);
  expect((await working)[0]).toMatchObject({ state: 'cancelled', report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
  expect(cluster.broken).toEqual([]);
});

/** The Services lead nowhere until `now`, though the pods behind them are ready. */
function unledUntil(now: () => boolean) {
  const { look } = cluster.kube;
  cluster.kube.look = async (of, ...rest) => {
    const sight = await look(of, ...rest);
    return typeof of !== 'string' && of.kind === 'EndpointSlice' && !now() ? { ...sight, objects: [] } : sight;
  };
}

test('no traffic comes before the Service leads to the new pods: ready they are a moment earlier', async () => {
  const from = Date.now();
  const early: number[] = [];
  unledUntil(() => {
    if (Date.now() > from + 1_000) return true;
    early.push(cluster.weights().canary);
    return false;
  });
  const id = await canaryAt25();
  expect(new Set(early)).toEqual(new Set([0]));
  await say(id, { kind: 'promote', full: true });
  expect(await over(id)).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
});

test('new pods that no Service ever leads to get no traffic, and the reason is said', { timeout: 40_000 }, async () => {
  unledUntil(() => false);
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', weights: [25] });
  expect(await over(id)).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', stages: [], detail: 'Service/web-canary leads to no pod that is ready' },
  });
  expect(cluster.get('staging/web-canary')).toBeUndefined();
  expect(cluster.broken).toEqual([]);
});

test('what somebody else has beside stable under the same name is neither taken over nor taken away', async () => {
  const theirs = { kind: 'Deployment', metadata: { name: 'web-canary', namespace: 'staging' }, spec: { replicas: 3 } };
  world.objects.set('staging/web-canary', theirs);
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', weights: [25] });
  const run = await over(id);
  expect(run.fault?.message).toContain('there is a Deployment/web-canary already, which is not Shipmate’s');
  expect(cluster.get('staging/web-canary')).toEqual(theirs);
});

test('with no pod of stable ready the traffic stays where it is, and the message says so', async () => {
  const id = await canaryAt25();
  cluster.makeReady(false);
  await say(id, { kind: 'abort' });
  const working = desk.settle([id], 25_000);
  const note = async () => (await desk.run(id)).steps.back?.note;
  await expect.poll(note, { timeout: 10_000 }).toContain('no pod that is ready');
  expect(cluster.weights().canary).toBe(25);
  cluster.makeReady(true);
  expect((await working)[0]).toMatchObject({ report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(cluster.weights().canary).toBe(0);
});

/** What scales stable, between 2 and 9 pods; KEDA makes an autoscaler of its own, and sets back what is changed in it. */
const scaleTargetRef = { kind: 'Deployment', name: 'web' };
const metadata = { name: 'web', namespace: 'staging' };
const hpa = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata,
  spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 9 },
};
const keda = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata,
  spec: { scaleTargetRef, minReplicaCount: 2, maxReplicaCount: 9 },
};

/** A canary with all of the traffic, while stable's autoscaler sees none of it. */
async function scaledCanary(scaler: typeof hpa | typeof keda): Promise<string> {
  world.objects.set(`${scaler.kind} staging/web`, scaler);
  const steps = [{ weight: 100, manual: true }];
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  await desk.lap(id);
  return id;
}

test.each([
  [hpa, 'minReplicas'],
  [keda, 'minReplicaCount'],
])(
  'an autoscaler cannot take pods from stable while it has no traffic; afterwards it is as before: $kind',
  async (scaler, field) => {
    const least = () => at(world.objects.get(`${scaler.kind} staging/web`), 'spec', field);
    const id = await scaledCanary(scaler);
    expect(least()).toBe(4);
    await say(id, { kind: 'promote', full: false });
    expect(await over(id)).toMatchObject({ state: 'finished' });
    expect(least()).toBe(2);
    expect(at(world.objects.get(`${scaler.kind} staging/web`), 'metadata', 'annotations')).toEqual({});
  },
);

test.each([
  ['another least count, it stays', { ...hpa, spec: { ...hpa.spec, minReplicas: 5 } }],
  ['none, there is none', undefined],
])('where somebody gives the autoscaler %s', async (_, theirs) => {
  const id = await scaledCanary(hpa);
  const key = 'HorizontalPodAutoscaler staging/web';
  const held = world.objects.get(key);
  if (theirs) world.objects.set(key, { ...theirs, metadata: held?.metadata ?? {} });
  else world.objects.delete(key);
  await say(id, { kind: 'promote', full: false });
  expect(await over(id)).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(world.objects.get(key)?.spec).toEqual(theirs?.spec);
});

test.each([
  ['the canary', 'staging/web-canary', /web-canary was deleted/],
  ['what routes the traffic', 'VirtualService staging/web', /routes the traffic was deleted/],
])('where somebody deletes %s, stable has all of the traffic and the message says why', async (_, key, why) => {
  const id = await canaryAt25();
  world.objects.delete(key);
  await engine.redis.zadd('{shipmate}:v1:due', 0, id);
  const run = await over(id);
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'fault' } });
  if (run.report?.kind === 'rolled-back') expect(run.report.detail).toMatch(why);
  expect(String(imageOf(world.objects.get('staging/web')))).toContain('web:v1');
  expect(cluster.weights().canary).toBe(0);
  expect(world.objects.has('staging/web-canary')).toBe(false);
});

test('a new version asked for in mid-canary waits in line, and begins afresh when the canary is over', async () => {
  const id = await canaryAt25();
  const next = await desk.ask('deploy', {
    app: 'web',
    env: 'staging',
    tag: 'v3',
    strategy: 'canary',
    weights: [50],
    bake: '1ms',
  });
  expect((await desk.lap(next)).state).toBe('queued');
  await say(id, { kind: 'abort' });
  const [first, second] = await desk.settle([id, next], 25_000);
  expect(first).toMatchObject({ state: 'cancelled' });
  expect(second).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(String(imageOf(world.objects.get('staging/web')))).toContain('web:v3');
  expect(cluster.broken).toEqual([]);
});

test('two who say the same say it once; an abort beats all that is said with it', async () => {
  const id = await canaryAt25();
  await say(id, { kind: 'promote', full: true });
  await say(id, { kind: 'abort' });
  await say(id, { kind: 'promote', full: true });
  await say(id, { kind: 'abort' });
  expect(await over(id)).toMatchObject({ state: 'cancelled', report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(String(imageOf(world.objects.get('staging/web')))).toContain('web:v1');
});

const complete = { kind: 'complete' as const, replicas: 4, updated: 4, ready: 4 };

test('where stable’s own pods break on the new version, it gets the old one back before the traffic does', async () => {
  const id = await canaryAt25();
  const trouble = { code: 'crash-loop' as const, detail: 'exit code 1', logs: [] };
  // Scaled for all traffic, then stable's rollout.
  world.ends.push(complete, { kind: 'failed', replicas: 4, updated: 1, ready: 3, trouble });
  await say(id, { kind: 'promote', full: true });
  expect(await over(id)).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'broken' } });
  expect(String(imageOf(world.objects.get('staging/web')))).toContain('web:v1');
  expect(world.applied.map(({ image }) => String(image)).findLast((image) => image.includes('web:'))).toContain(
    'web:v1',
  );
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
  expect(cluster.broken).toEqual([]);
});

test('an abort in the middle of the promotion brings the old version back', { timeout: 40_000 }, async () => {
  const id = await canaryAt25();
  await say(id, { kind: 'promote', full: true });
  world.rolloutMs = 4_000;
  const working = desk.settle([id], 35_000);
  await expect.poll(async () => (await desk.run(id)).steps.promote?.state, { timeout: 15_000 }).toBe('started');
  await say(id, { kind: 'abort' });
  world.rolloutMs = 0;
  expect((await working)[0]).toMatchObject({ state: 'cancelled', report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(String(imageOf(world.objects.get('staging/web')))).toContain('web:v1');
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
  expect(cluster.broken).toEqual([]);
});

test('where the pods are the share, there is none of them before it has a share', async () => {
  world.objects.delete('VirtualService staging/web');
  const steps = [
    { weight: 0, manual: true },
    { weight: 50, manual: true },
  ];
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  await desk.lap(id);
  const pods = () => at(world.objects.get('staging/web-canary'), 'spec', 'replicas');
  expect((await desk.run(id)).steps['weight 0']?.state).toBe('waiting');
  expect(pods()).toBe(0);
  await say(id, { kind: 'promote', full: false });
  const working = desk.settle([id], 25_000);
  await expect.poll(pods, { timeout: 10_000 }).toBe(4);
  await say(id, { kind: 'abort' });
  expect((await working)[0]).toMatchObject({ report: { kind: 'rolled-back', reason: 'aborted' } });
});

test('what stood beside stable goes in one order, also where the cluster fails in between: pods last', async () => {
  const id = await canaryAt25();
  const gone: string[] = [];
  let failed = false;
  const { remove } = cluster.kube;
  cluster.kube.remove = async (ref, ...rest) => {
    if (ref.kind === 'Deployment' && !failed) {
      failed = true;
      throw fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: 'ECONNRESET' });
    }
    gone.push(ref.kind);
    return await remove(ref, ...rest);
  };
  await say(id, { kind: 'abort' });
  expect(await over(id)).toMatchObject({ report: { kind: 'rolled-back' } });
  expect(failed).toBe(true);
  expect(gone).toEqual(['Service', 'Deployment']);
});
