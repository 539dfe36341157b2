import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../src/core/errors.ts';
import { at, isObject, type JsonObject } from '../../src/core/json.ts';
import type { Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';
import { steer } from '../../src/engine/steer.ts';
import { undo } from '../../src/engine/undo.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { freshShop } from '../support/canary-bench.ts';
import type { Desk } from '../support/desk.ts';
import { ben, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import { guard, virtualService, type watchedCluster } from '../support/watched-cluster.ts';

/** What guards stable's pods, and what becomes of it for the canary's; and what a look at them costs. */

const redis = redisForFile();
let engine: TestEngine;
let desk: Desk;
let world: ReturnType<typeof fakeWorld>;
let cluster: ReturnType<typeof watchedCluster>;
let unprotected: 'warn' | 'refuse' = 'warn';
let strategy: 'rolling' | 'canary' = 'rolling';
let byPattern = {};

const steps = [{ weight: 25, manual: true }];
const settings = () =>
  Settings.parse({
    apps: {
      web: { image: '127.0.0.1:5000/web', rollout: { strategy, steps, drain: '1ms', reach: '1ms', unprotected } },
    },
    environments: { staging: { namespace: 'staging', rolloutTimeoutSeconds: 10 } },
    policy: [{ name: 'free' }],
    ...byPattern,
  });

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, { settings });
  return () => engine.close();
});
beforeEach(async () => {
  unprotected = 'warn';
  strategy = 'rolling';
  byPattern = {};
  ({ world, cluster, desk } = await freshShop(engine));
  world.objects.set('AuthorizationPolicy staging/no-delete', guard);
  return () => desk.leases.stop();
});

const input = { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps };
async function canaryAt25(): Promise<string> {
  const id = await desk.ask('deploy', input);
  const { state, fault: problem } = await desk.lap(id);
  expect(problem, state).toBeUndefined();
  expect(cluster.weights().canary).toBe(25);
  return id;
}
const over = async (id: string): Promise<Run> => (await desk.settle([id], 25_000))[0] ?? expect.unreachable();
const again = (id: string) => engine.redis.zadd('{shipmate}:v1:due', 0, id);
const twin = 'AuthorizationPolicy staging/web-canary-no-delete';
const withSpec = (object: JsonObject, spec: JsonObject): JsonObject => ({
  ...object,
  spec: { ...(isObject(object.spec) ? object.spec : {}), ...spec },
});

test('a policy of stable has a twin for the canary: first come, last gone, and it stands in the plan', async () => {
  const came: string[] = [];
  const gone: string[] = [];
  const { apply, remove } = cluster.kube;
  cluster.kube.apply = (manifest, ...rest) => {
    came.push(String(manifest.kind));
    return apply(manifest, ...rest);
  };
  cluster.kube.remove = (ref, options, signal) => {
    if (!options.dryRun) gone.push(ref.kind);
    return remove(ref, options, signal);
  };
  const id = await canaryAt25();
  expect(came).toEqual(['AuthorizationPolicy', 'Deployment', 'Service']);
  expect(world.objects.get(twin)).toMatchObject({
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'shipmate' } },
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': 'web-canary', 'shipmate.dev/track': 'canary' } },
      action: 'DENY',
      rules: at(guard, 'spec', 'rules'),
    },
  });
  const { plan } = await desk.run(id);
  expect(plan?.changes).toContainEqual({
    path: 'AuthorizationPolicy/web-canary-no-delete',
    to: 'as AuthorizationPolicy/no-delete, for the new pods',
  });
  expect(plan?.warnings).toBeUndefined();
  await steer(engine, await desk.run(id), ben, { kind: 'abort' });
  await over(id);
  expect(gone).toEqual(['Service', 'Deployment', 'AuthorizationPolicy']);
  expect(cluster.broken).toEqual([]);
});

describe.each(['rolling', 'canary'] as const)(
  'a canary that is through and is undone, where deploys are %s',
  (usual) => {
    test('leaves no twin behind, and the policy of stable as it was', async () => {
      strategy = usual;
      const before = [...world.objects.keys()].sort();
      const id = await canaryAt25();
      await steer(engine, await desk.run(id), ben, { kind: 'promote', full: true });
      expect(await over(id)).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
      const came: string[] = [];
      const { apply } = cluster.kube;
      cluster.kube.apply = (manifest, ...rest) => {
        came.push(`${manifest.kind}/${at(manifest, 'metadata', 'name')}`);
        return apply(manifest, ...rest);
      };
      const back = await undo(engine, id, { actor: ben, origin: { surface: 'rest' } });
      await desk.lap(back.id);
      if (usual === 'canary') await steer(engine, await desk.run(back.id), ben, { kind: 'promote', full: true });
      const kind = usual === 'canary' ? 'promoted' : 'rolled-out';
      expect(await over(back.id)).toMatchObject({ state: 'finished', report: { kind } });
      // The way back is guarded as the way there, where it goes by a canary; and there is no other way for a twin to come.
      expect(came.includes('AuthorizationPolicy/web-canary-no-delete')).toBe(usual === 'canary');
      expect([...world.objects.keys()].sort()).toEqual(before);
      expect(world.objects.get('AuthorizationPolicy staging/no-delete')).toEqual(guard);
      const containers = at(world.objects.get('staging/web'), 'spec', 'template', 'spec', 'containers');
      expect(containers).toMatchObject([{ image: `127.0.0.1:5000/web:v1@sha256:${'1'.repeat(64)}` }]);
      expect(cluster.broken).toEqual([]);
    });
  },
);

test.each([
  ['a canary that is through', { strategy: 'canary', steps }, 'promote'],
  ['an aborted canary', { strategy: 'canary', steps }, 'abort'],
  ['a blue-green deploy', { strategy: 'blue-green', keep: '1ms' }, undefined],
] as const)('what the environment lacked of its template is made with %s, and stays', async (_, how, wish) => {
  const labels = { 'shipmate.dev/environment': 'staging' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'staging', labels } };
  world.objects.set('Namespace /staging', namespace);
  byPattern = {
    environments: { 'stag*': { namespace: '{env}', rolloutTimeoutSeconds: 10 } },
    namespaceTemplate: { quota: { pods: '10' }, networkPolicy: 'deny-ingress', limits: { max: { memory: '1Gi' } } },
  };
  const before = [...world.objects.keys()];
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', ...how });
  if (wish) await desk.lap(id);
  if (wish)
    await steer(engine, await desk.run(id), ben, wish === 'abort' ? { kind: wish } : { kind: wish, full: true });
  const run = await over(id);
  expect(run.plan?.warnings?.join()).toContain('The environment was not made whole');
  expect(run).toMatchObject({ report: { kind: wish === 'abort' ? 'rolled-back' : 'promoted' } });
  const made = [
    'NetworkPolicy staging/default-deny-ingress',
    'ResourceQuota staging/default',
    'LimitRange staging/default',
  ];
  expect([...world.objects.keys()].sort()).toEqual([...before, ...made].sort());
});

test('the twin stays until the last pod of the canary has ended', async () => {
  const id = await canaryAt25();
  const labels = { 'app.kubernetes.io/name': 'web-canary', 'shipmate.dev/track': 'canary' };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'ending', namespace: 'staging', labels } };
  world.objects.set('Pod staging/ending', pod);
  await steer(engine, await desk.run(id), ben, { kind: 'abort' });
  const working = desk.settle([id], 25_000);
  await expect
    .poll(async () => (await desk.run(id)).steps.remove?.note, { timeout: 10_000 })
    .toContain('what guards them goes after them');
  expect(world.objects.has('staging/web-canary')).toBe(false);
  expect(world.objects.has(twin)).toBe(true);
  world.objects.delete('Pod staging/ending');
  expect((await working)[0]).toMatchObject({ report: { kind: 'rolled-back' } });
  expect(world.objects.has(twin)).toBe(false);
});

test.each([
  [
    'changes a policy of stable',
    () => {
      const rules = [{ to: [{ operation: { methods: ['DELETE', 'PUT'] } }] }];
      world.objects.set('AuthorizationPolicy staging/no-delete', withSpec(guard, { rules }));
    },
  ],
  ['takes the twin away', () => void world.objects.delete(twin)],
  [
    'makes a new policy for stable',
    () => {
      const metadata = { name: 'no-put', namespace: 'staging' };
      world.objects.set('AuthorizationPolicy staging/no-put', { ...guard, metadata });
    },
  ],
])('where somebody %s, the canary goes back rather than stay less protected', async (_, act) => {
  const id = await canaryAt25();
  act();
  cluster.broken.length = 0;
  await again(id);
  const run = await over(id);
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'fault' } });
  if (run.report?.kind === 'rolled-back')
    expect(run.report.detail).toMatch(/AuthorizationPolicy\/no-(delete|put) no longer holds/);
  expect(cluster.weights().canary).toBe(0);
  expect(world.objects.has(twin)).toBe(false);
});

test('where no twin may be made the plan says so, or refuses where the settings want that', async () => {
  const { preview } = cluster.kube;
  cluster.kube.preview = async (manifest, signal) => {
    if (manifest.kind !== 'AuthorizationPolicy') return await preview(manifest, signal);
    throw fault('CLUSTER_FORBIDDEN', { cluster: 'default', who: 'Shipmate', what: 'create policies.', remedy: '' });
  };
  const id = await canaryAt25();
  const { plan } = await desk.run(id);
  const sentence =
    /^AuthorizationPolicy\/no-delete goes by .*, so it does not hold for the canary’s pods\. The cluster/;
  expect(plan?.warnings).toEqual([expect.stringMatching(sentence)]);
  expect(world.objects.has(twin)).toBe(false);
  await steer(engine, await desk.run(id), ben, { kind: 'abort' });
  await over(id);
  unprotected = 'refuse';
  const refused = await desk.lap(await desk.ask('deploy', input));
  expect(refused).toMatchObject({ state: 'failed', fault: { code: 'CANARY_IMPOSSIBLE' } });
  expect(refused.fault?.message).toContain('less protected than stable');
});

test('an object of the twin’s name that somebody else made is not taken over', async () => {
  world.objects.set(twin, { ...guard, metadata: { name: 'web-canary-no-delete', namespace: 'staging' } });
  unprotected = 'refuse';
  const refused = await desk.lap(await desk.ask('deploy', input));
  expect(refused.fault?.message).toContain('which is not Shipmate’s');
});

test('the plan asks for one dry run of the workload', async () => {
  const asked: string[] = [];
  const { preview } = cluster.kube;
  cluster.kube.preview = (manifest, signal) => {
    asked.push(`${String(manifest.kind)}/${String(at(manifest, 'metadata', 'name'))}`);
    return preview(manifest, signal);
  };
  const id = await desk.ask('deploy', { ...input, steps: [{ weight: 0, manual: true }] });
  await desk.lap(id);
  expect(asked.filter((name) => name === 'Deployment/web')).toHaveLength(1);
});

test('looks cost no request; what a watch shows is asked for before it counts, and what a stale one shows is not believed', async () => {
  const id = await desk.ask('deploy', { ...input, steps: [{ weight: 25, bake: '10m' }] });
  const working = desk.settle([id], 25_000);
  const looking = async () => (await desk.run(id)).steps['weight 25']?.note?.includes('left');
  await expect.poll(looking, { timeout: 10_000 }).toBe(true);
  const reads: string[] = [];
  let lagging = false;
  const { read, look } = cluster.kube;
  cluster.kube.read = (ref, signal) => {
    reads.push(ref.kind);
    return read(ref, signal);
  };
  const shown = world.objects.get('VirtualService staging/web') ?? expect.unreachable();
  let [looks, age] = [0, 0];
  cluster.kube.look = async (of, ...rest) => {
    const isRoute = typeof of !== 'string' && of.kind === 'VirtualService';
    if (isRoute) looks += 1;
    if (isRoute && lagging) return { objects: [virtualService], asOf: Date.now() };
    return isRoute && age > 0 ? { objects: [shown], asOf: Date.now() - age } : await look(of, ...rest);
  };
  await expect.poll(() => looks, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(reads).toEqual([]);
  // A picture from before our own last write: nobody else did that.
  lagging = true;
  await expect.poll(() => reads.includes('VirtualService'), { timeout: 10_000 }).toBe(true);
  lagging = false;
  expect(cluster.weights().canary).toBe(25);
  // Its connection is dead: it goes on showing the routes as they were.
  age = 60_000;
  cluster.edit('weight');
  const detail = expect.stringContaining('1 % of the traffic');
  expect((await working)[0]).toMatchObject({ report: { kind: 'rolled-back', detail } });
});
