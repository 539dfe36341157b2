import { beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ben, slack, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** Policy, locks, freezes, turns and gates judge what a plan changes, by whatever operation it was asked for. */

const redis = redisForFile();
const dan = slack('UDAN');
const cho = slack('UCHO');
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;

/** Ana may do what she likes but for what the rules before say. */
const given = (rules: object[] = [], change: object = {}): void => {
  settings = SettingsSchema.parse({
    ...testSettings,
    people: { ...testSettings.people, cho: { slack: 'UCHO' }, dan: { slack: 'UDAN' } },
    roles: { engineers: ['ana', 'ben'], leads: ['dan'], security: ['cho'] },
    policy: [...rules, { name: 'the rest is free' }],
    ...change,
  });
};
const guarded = (operations: string[], more: object = {}) => ({
  name: `${operations} of web`,
  operations,
  apps: ['web'],
  approvals: 1,
  approvers: ['leads'],
  ...more,
});

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  furnish(world);
  given();
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const labels = { 'app.kubernetes.io/name': 'web' };
const deployment = (name: string, spec: JsonObject, podLabels: JsonObject = { own: name }): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: podLabels },
    ...spec,
    template: { metadata: { labels: podLabels }, spec: { containers: [{ name: 'web', image: 'evil:1' }] } },
  },
});
const apply = (manifest: object, env = 'staging') => desk.done('apply', { env, manifest: JSON.stringify(manifest) });
const virtualService = (host: string) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'aside' },
  spec: { hosts: [host], http: [{ route: [{ destination: { host } }] }] },
});

describe('apply', () => {
  test('asks for the yes that a deploy, a scaling, and a deletion of the app take', async () => {
    given([guarded(['deploy', 'scale', 'workload-delete'])]);
    expect(await apply(deployment('web', { replicas: 1 }, labels))).toMatchObject({
      state: 'awaiting',
      verdict: { rule: 'deploy,scale,workload-delete of web', approvers: ['leads'] },
      plan: { touches: [{ app: 'web', env: 'staging', operations: ['apply', 'deploy'] }] },
    });
    expect(await apply(deployment('other', {}))).toMatchObject({ state: 'finished' });
  });

  test('of a lookalike whose pods the app’s own Service or Deployment would take counts as the app’s', async () => {
    given([guarded(['deploy'])]);
    world.objects.set('Service staging/front', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'front', namespace: 'staging' },
      spec: { selector: { 'app.kubernetes.io/name': 'web' } },
    });
    expect(await apply(deployment('lookalike', {}, { ...labels, more: 'yes' }))).toMatchObject({ state: 'awaiting' });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels }, spec: { containers: [] } };
    expect(await apply(pod)).toMatchObject({ state: 'awaiting' });
    expect(await apply({ ...pod, metadata: { name: 'p' } })).toMatchObject({ state: 'finished' });
  });

  test('of a route, by whatever name and from wherever, counts as the traffic of the app that it leads to', async () => {
    given([guarded(['traffic-set', 'route-set'])]);
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'any' },
      spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
    };
    const httpRoute = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'any' },
      spec: { rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
    };
    for (const route of [virtualService('web'), virtualService('web.staging.svc.cluster.local'), ingress, httpRoute])
      expect(await apply(route), JSON.stringify(route)).toMatchObject({ state: 'awaiting' });
    expect(await apply(virtualService('cart'))).toMatchObject({ state: 'finished' });
    const intoProduction = await apply(virtualService('web.production'));
    expect(intoProduction).toMatchObject({ plan: { touches: [{ app: 'web', env: 'production' }] } });
  });

  test('is no way to a larger change than the rule for small ones allows', async () => {
    const small = { name: 'a little', operations: ['scale'], apps: ['web'], size: { replicasBy: 2 } };
    given([small, guarded(['scale'])]);
    const live = world.objects.get('staging/web');
    const scaled = (replicas: number) => ({ ...live, spec: { ...(live?.spec as JsonObject), replicas } });
    expect(await apply(scaled(50))).toMatchObject({ state: 'awaiting', verdict: { rule: 'scale of web' } });
    expect(await apply(scaled(2))).toMatchObject({ state: 'finished' });
  });

  test('of several sizes at once is judged by each, in whatever order they stand', async () => {
    const small = { name: 'a little', operations: ['scale'], apps: ['web'], size: { replicasBy: 2 } };
    given([small, guarded(['scale'])]);
    const { status: _, ...live } = world.objects.get('staging/web') ?? {};
    const large = { ...live, spec: { ...(live.spec as JsonObject), replicas: 50 } };
    const little = deployment('lookalike', { replicas: 2 }, { ...labels, more: 'yes' });
    for (const items of [
      [large, little],
      [little, large],
    ])
      expect(await apply({ apiVersion: 'v1', kind: 'List', items })).toMatchObject({
        state: 'awaiting',
        verdict: { rule: 'scale of web' },
        plan: { touches: [{ replicas: { from: 1, to: 2 } }, { replicas: { from: 1, to: 50 } }] },
      });
  });

  test('waits in line where another run changes the app, and is refused where somebody locked it', async () => {
    const goOn = world.hold();
    const first = await desk.deploy('staging', 'v3');
    const rolling = desk.lap(first);
    await expect.poll(async () => (await desk.run(first)).startedAt).toBeDefined();
    const second = await apply(deployment('web', { replicas: 3 }, labels));
    expect(second).toMatchObject({ state: 'queued' });
    goOn();
    await rolling;
    expect(await desk.lap(second.id)).toMatchObject({ state: 'finished' });
    await desk.done('lock', { app: 'web', env: 'staging', reason: 'migrating' }, ben);
    expect(await apply(deployment('web', { replicas: 5 }, labels))).toMatchObject({ fault: { code: 'LOCKED' } });
    expect(await apply(deployment('other', {}))).toMatchObject({ state: 'finished' });
  });
});

test.each([
  ['config-set', { name: 'app-config', env: 'staging', values: ['A=1'] }, 'config-set'],
  ['config-set', { name: 'app-config', env: 'staging', values: ['A=1'], restart: true }, 'restart'],
  ['timeout', { service: 'web', env: 'staging', timeout: '3s' }, 'timeout'],
  ['traffic-set', { service: 'web', env: 'staging', timeout: '3s' }, 'traffic-set'],
  ['route-set', { url: 'shop.example.com/x', service: 'web', port: 80, env: 'staging' }, 'route-set'],
  ['service-delete', { name: 'web', env: 'staging' }, 'service-delete'],
  ['debug', { app: 'pod/web-6d4f9c6b7-x2v8k', env: 'staging' }, 'debug'],
  ['workload-delete', { app: 'deployment/web-canary', env: 'staging' }, 'workload-delete'],
  ['mtls', { env: 'staging', mode: 'strict' }, 'mtls'],
  ['drain', { node: 'node-1', env: 'staging' }, 'drain'],
])('%s %j needs the yes that %s of the app needs', async (operation, input, meant) => {
  const web = world.objects.get('staging/web') as { spec: { template: { spec: { containers: JsonObject[] } } } };
  Object.assign(web.spec.template.spec.containers[0] ?? {}, { envFrom: [{ configMapRef: { name: 'app-config' } }] });
  const metadata = { name: 'web-canary', namespace: 'staging', uid: 'u' };
  world.objects.set('staging/web-canary', {
    ...structuredClone(web),
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
  });
  const pod = world.objects.get('Pod staging/web-6d4f9c6b7-x2v8k');
  Object.assign(pod?.metadata as JsonObject, { labels });
  Object.assign(world.objects.get('Pod staging/on-node-1')?.metadata as JsonObject, { labels });
  given([guarded([meant])]);
  expect(await desk.done(operation, input)).toMatchObject({ state: 'awaiting', verdict: { rule: `${meant} of web` } });
});

test('who may not do it by its own name may not do it by another, and is told what it would do', async () => {
  const others = [...engine.catalogue.keys()].filter((name) => name !== 'deploy');
  settings.policy = SettingsSchema.shape.policy.parse([
    { name: 'releases', operations: ['deploy'], who: ['leads'] },
    { name: 'all else', operations: others },
  ]);
  expect(await apply(deployment('web', {}, labels))).toMatchObject({
    state: 'denied',
    fault: {
      code: 'POLICY_DENIED',
      message: expect.stringContaining('“deploy web in staging”, and this would do the same'),
      hint: 'Ask one of: dan.',
    },
  });
});

test('another environment of the same namespace is no way round its rules', async () => {
  given([{ name: 'production', environments: ['production'], approvals: 1, approvers: ['leads'] }], {
    environments: { ...testSettings.environments, alias: { namespace: 'production', cluster: 'other' } },
    clusters: { other: {} },
  });
  expect(await desk.done('deploy', { app: 'web', env: 'alias', tag: 'v2' })).toMatchObject({
    state: 'awaiting',
    verdict: { rule: 'production' },
    plan: { touches: [{ app: 'web', env: 'production', operations: ['deploy'] }] },
  });
});

test('nor is a release of it: it is asked for what its parts change, and takes their turns', async () => {
  given([{ name: 'production', environments: ['production'], approvals: 1, approvers: ['leads'] }], {
    environments: { ...testSettings.environments, alias: { namespace: 'production', cluster: 'other' } },
    clusters: { other: {} },
  });
  const released = await desk.done('release', { apps: ['web@v2'], env: 'alias' });
  expect(released).toMatchObject({
    state: 'awaiting',
    verdict: { rule: 'production' },
    plan: { touches: [{ app: 'web', env: 'production', operations: ['deploy'] }] },
  });
});

test('of several rules each has its approvals, by people who may give them', async () => {
  given([
    guarded(['deploy'], { approvals: 1 }),
    guarded(['scale'], { approvals: 2, approvers: ['engineers', 'security'] }),
  ]);
  world.objects.set('staging/web', {
    ...deployment('web', { replicas: 1 }, labels),
    metadata: { name: 'web', namespace: 'staging' },
  });
  const other = deployment('web', { replicas: 9 }, { ...labels, v: '2' });
  const { id, verdict, state } = await apply(other);
  expect(state).toBe('awaiting');
  expect(verdict).toMatchObject({
    each: [
      { approvals: 1, approvers: ['leads'] },
      { approvals: 2, approvers: ['engineers', 'security'] },
    ],
  });
  const said = [];
  for (const person of [ben, dan, cho]) said.push((await desk.approve(id, person)).outcome.kind);
  expect(said).toEqual(['counted', 'counted', 'approved']);
});

describe('images, by whatever operation', () => {
  const scan = { critical: 'block' };
  const digest = `sha256:${'1'.repeat(64)}`;
  const pod = (image: string) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'job' },
    spec: { template: { spec: { initContainers: [{ name: 'a', image }], containers: [] } } },
  });

  test('an environment that asks for scans takes none without, in no pod of any manifest', async () => {
    given([], {
      environments: { ...testSettings.environments, staging: { ...testSettings.environments.staging, scan } },
    });
    expect(await apply(pod(`127.0.0.1:5000/web@${digest}`))).toMatchObject({ fault: { code: 'SCAN_MISSING' } });
    expect(await apply(pod('127.0.0.1:5000/web:v1'))).toMatchObject({ fault: { code: 'IMAGE_UNPINNED' } });
    const knative = { ...pod('redis:7'), apiVersion: 'serving.knative.dev/v1', kind: 'Service' };
    expect(await apply(knative), 'a kind nobody here knows').toMatchObject({ fault: { code: 'IMAGE_UNPINNED' } });
    expect(await desk.done('debug', { app: 'web', env: 'staging' })).toMatchObject({
      fault: { code: 'IMAGE_UNPINNED' },
    });
    expect(await desk.done('job-run', { name: 'report', env: 'staging' })).toMatchObject({
      fault: { code: 'IMAGE_UNPINNED' },
    });
    expect(await apply(pod('127.0.0.1:5000/web:v1'), 'production')).toMatchObject({ state: 'finished' });
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { image: 'redis:7' } };
    expect(await apply(config)).toMatchObject({ state: 'finished' });
  });

  test('nor on a Docker host: what its environment asks, or all that is asked of an app’s image', async () => {
    const environments = { ...testSettings.environments, production: { namespace: 'production', scan } };
    let count = 0;
    const run = (image: string) => desk.done('docker-run', { image, name: `c${count++}`, host: 'build' });
    given([], { environments });
    expect(await run(`127.0.0.1:5000/web@${digest}`)).toMatchObject({ fault: { code: 'SCAN_MISSING' } });
    expect(await run('redis:7'), 'of no app').toMatchObject({ state: 'finished' });
    const [build] = Object.values(testSettings.dockerHosts);
    const dockerHosts = { build: { ...build, env: 'production' } };
    given([{ name: 'live hosts', environments: ['production'], approvals: 1 }], { dockerHosts });
    expect(await run('redis:8')).toMatchObject({ state: 'awaiting', verdict: { rule: 'live hosts' } });
    given([guarded(['deploy'])], { dockerHosts });
    expect(await run('127.0.0.1:5000/web:v1')).toMatchObject({ state: 'awaiting', verdict: { rule: 'deploy of web' } });
  });
});
