import { beforeEach, describe, expect, test } from 'vitest';
import { at, type JsonObject } from '../../src/core/json.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** Pods beyond the level of their environment, by operations that write the workload that they were asked for. */

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;
const given = (podSecurity: string, change: object = {}): void => {
  const staging = { ...testSettings.environments.staging, podSecurity };
  settings = SettingsSchema.parse({
    ...testSettings,
    environments: { ...testSettings.environments, staging },
    ...change,
  });
};

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  furnish(world);
  // Whatever scales it by itself would be in the way.
  for (const key of ['HorizontalPodAutoscaler staging/web', 'ScaledObject staging/queue-worker'])
    world.objects.delete(key);
  given('baseline');
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const place = { app: 'web', env: 'staging' };
const deploy = (tag: string, more: object = {}) => desk.done('deploy', { ...place, tag, ...more });
const podOf = (object: JsonObject | undefined) => at(object, 'spec', 'template', 'spec') as JsonObject;
const containerOf = (object: JsonObject | undefined) => at(podOf(object), 'containers', 0) as JsonObject;
const refusedFor = (problem: string) => ({
  state: 'denied',
  fault: { code: 'POD_SECURITY', message: expect.stringContaining(problem) },
});

/** The reads and dry runs of one kind of object while something is done. */
async function asked(kind: string, done: () => Promise<unknown>): Promise<string[]> {
  const kube = world.clients.kube('default');
  const calls: string[] = [];
  const spied = {
    ...kube,
    read: async (...args: Parameters<typeof kube.read>) => {
      if (args[0].kind === kind) calls.push('read');
      return await kube.read(...args);
    },
    preview: async (...args: Parameters<typeof kube.preview>) => {
      if (args[0].kind === kind) calls.push('preview');
      return await kube.preview(...args);
    },
  };
  const own = engine.clients.kube;
  engine.clients.kube = () => spied;
  await done();
  engine.clients.kube = own;
  return calls;
}

describe('the workload that was asked for', () => {
  test('is not rolled back to a template that goes beyond', async () => {
    await deploy('v1');
    const before = containerOf(world.objects.get('staging/web'));
    const [now = {}] = world.templates;
    const bad = structuredClone(now);
    Object.assign(at(bad, 'spec', 'containers', 0) as JsonObject, { securityContext: { privileged: true } });
    world.templates.unshift(bad);
    expect(await desk.done('rollback', { ...place, revision: 1 })).toMatchObject(
      refusedFor('Deployment/web: container web is privileged'),
    );
    expect(containerOf(world.objects.get('staging/web'))).toEqual(before);
  });

  test('is new under restricted as restricted asks, and its plan says so', async () => {
    given('restricted');
    const done = await deploy('v1');
    expect(done).toMatchObject({ state: 'finished' });
    expect(containerOf(world.objects.get('staging/web')).securityContext).toEqual(restricted);
    expect(JSON.stringify(done.plan?.changes)).toContain('runAsNonRoot');
    expect(await deploy('v2')).toMatchObject({ state: 'finished' });
    expect(containerOf(world.objects.get('staging/web')).securityContext).toEqual(restricted);
  });

  test('is new as the strictest environment of its namespace asks', async () => {
    const environments = {
      staging: { namespace: 'staging' },
      strict: { namespace: 'staging', podSecurity: 'restricted' },
    };
    given('baseline', { environments, policy: [{ name: 'free' }] });
    expect(await deploy('v1')).toMatchObject({ state: 'finished' });
    expect(containerOf(world.objects.get('staging/web')).securityContext).toEqual(restricted);
  });

  test('goes on as it was where it went beyond before, with a canary too', async () => {
    await deploy('v1');
    Object.assign(podOf(world.objects.get('staging/web')), { hostNetwork: true });
    expect(await deploy('v1', { resources: { requests: { cpu: '100m' } } })).toMatchObject({ state: 'finished' });
    expect(await desk.done('scale', { ...place, replicas: 2 })).toMatchObject({ state: 'finished' });
    expect(await desk.done('restart', place)).toMatchObject({ state: 'finished' });
    const labels = at(world.objects.get('staging/web'), 'spec', 'template', 'metadata', 'labels') as JsonObject;
    Object.assign(labels, { app: 'web' });
    given('baseline', { policy: [{ name: 'asks', approvals: 1 }] });
    const canary = await deploy('v1', { resources: { requests: { cpu: '200m' } }, strategy: 'canary' });
    expect(canary).toMatchObject({ state: 'awaiting' });
    expect(canary.plan?.writes?.map((write) => 'manifest' in write && write.manifest.kind)).toContain('Deployment');
  });

  test('costs no dry run more where nothing goes beyond, and no look where its pods stay as they are', async () => {
    await deploy('v1');
    const scale = async (replicas: number) =>
      expect(await desk.done('scale', { ...place, replicas })).toMatchObject({ state: 'finished' });
    const scaled = await asked('Deployment', () => scale(2));
    const deployed = await asked('Deployment', () => deploy('v2'));
    given('privileged');
    expect(await asked('Deployment', () => scale(3))).toEqual(scaled);
    // Whether a deploy makes the workload has to be known under any level.
    expect(await asked('Deployment', () => deploy('v3'))).toEqual(deployed);
    expect(deployed.filter((call) => call === 'preview')).toHaveLength(1);
  });
});

describe('a CronJob that goes beyond', () => {
  beforeEach(() => {
    const cron = world.objects.get('CronJob staging/report');
    Object.assign(at(cron, 'spec', 'jobTemplate', 'spec', 'template', 'spec') as JsonObject, { hostNetwork: true });
  });

  test('is run all the same: what its Job does was there before', async () => {
    expect(await desk.done('job-run', { name: 'report', env: 'staging' })).toMatchObject({ state: 'finished' });
  });

  test('no object without a name is read for it', async () => {
    const names: string[] = [];
    const kube = world.clients.kube('default');
    engine.clients.kube = () => ({
      ...kube,
      read: async (ref, signal) => {
        names.push(ref.name);
        return await kube.read(ref, signal);
      },
    });
    await desk.done('job-run', { name: 'report', env: 'staging' });
    expect(names).not.toContain('');
    expect(names.length).toBeGreaterThan(0);
  });
});

test.each(['privileged', 'baseline', 'restricted'])('a debug container comes where %s is asked for', async (level) => {
  given(level);
  expect(await desk.done('debug', { app: 'pod/web-6d4f9c6b7-x2v8k', env: 'staging' })).toMatchObject({
    state: 'finished',
  });
  const pod = world.objects.get('Pod staging/web-6d4f9c6b7-x2v8k');
  const context = at(pod, 'spec', 'ephemeralContainers', 0, 'securityContext');
  if (level === 'restricted') expect(context).toEqual(restricted);
  else expect(context).toBeUndefined();
});

describe('what is applied', () => {
  const apply = (...items: object[]) =>
    desk.done('apply', { env: 'staging', manifest: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const deployment = (name: string, labels: JsonObject) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { hostPID: true, containers: [{ name: 'c', image: '127.0.0.1:5000/web:v1' }] },
      },
    },
  });
  const mine = { 'app.kubernetes.io/name': 'web' };

  test('is told by name, each object for itself', async () => {
    const problems = 'Deployment/one: the pod has hostPID; Deployment/two: the pod has hostPID';
    expect(await apply(deployment('one', { a: '1' }), deployment('two', { a: '2' }))).toMatchObject(
      refusedFor(problems),
    );
  });

  test('of an app fits a rule that is about the app, and of another does not', async () => {
    await deploy('v1');
    const rule = { name: 'agents of web', operations: ['apply'], apps: ['web'], beyondPodSecurity: true };
    given('baseline', { policy: [rule, { name: 'the rest is free' }] });
    const own = await apply(deployment('web', mine));
    expect(own).toMatchObject({
      state: 'finished',
      plan: { warnings: expect.arrayContaining(['Beyond Pod Security: Deployment/web: the pod has hostPID.']) },
    });
    expect(await apply(deployment('other', { a: '1' }))).toMatchObject(refusedFor('Deployment/other'));
  });

  test('that is called Namespace, and is none of Kubernetes’ own, is judged where it is', async () => {
    const azure = {
      apiVersion: 'servicebus.azure.com/v1api20211101',
      kind: 'Namespace',
      metadata: { name: 'production', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
      spec: {},
    };
    const done = await apply(azure);
    expect(done).toMatchObject({ state: 'finished' });
    expect(done.plan?.touches ?? []).toEqual([]);
  });
});
