import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClusters } from '../../../src/clients/kube/clusters.ts';
import { Settings } from '../../../src/core/settings.ts';
import { advance } from '../../../src/engine/advance.ts';
import { createLeases } from '../../../src/engine/leases.ts';
import { startTestbed, type Testbed } from '../../../testbed/testbed.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { createDesk, type Desk } from '../../support/desk.ts';
import { quiet, type TestEngine, testEngine, testSettings } from '../../support/engine.ts';

/** A node that is emptied must not be the one that all other tests run their pods on: this file has a bed of its own. */
let own: Testbed;
let engine: TestEngine;
let desk: Desk;
let closeClusters: () => Promise<void>;
const node = '127.0.0.1';
const env = 'staging';

beforeAll(async () => {
  own = await startTestbed({ log: () => {} });
  const clusters = createClusters({ kubeconfig: own.kubernetes.kubeconfig });
  closeClusters = clusters.close;
  const settings = Settings.parse({ ...testSettings, clusters: { default: { guardedBy: env } } });
  engine = await testEngine(
    own.redis.url,
    { ...fakeWorld().clients, kube: clusters.kube },
    { settings: () => settings },
  );
  desk = createDesk(engine);
  await own.kubernetes.kubectl(['create', 'namespace', env]);
});
afterAll(async () => {
  await desk.leases.stop();
  engine.close();
  await closeClusters();
  await own.stop();
});

const inStaging = (args: string[], stdin?: string) => own.kubernetes.kubectl([...args, '-n', env], stdin);
const podNames = async () => (await inStaging(['get', 'pods', '-o', 'name'])).split('\n').filter(Boolean);
const unschedulable = async () =>
  JSON.parse(await own.kubernetes.kubectl(['get', 'node', node, '-o', 'json'])).spec.unschedulable;

function pods(name: string, replicas: number, volumes: object[] = []) {
  const labels = { app: name };
  const containers = [{ name, image: own.busybox, args: ['sleep', '3600'] }];
  const spec = { containers, volumes, terminationGracePeriodSeconds: 0 };
  return {
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
async function deploy(name: string, replicas: number, volumes: object[] = []): Promise<void> {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', ...pods(name, replicas, volumes) };
  await inStaging(['apply', '-f', '-'], JSON.stringify(object));
  await inStaging(['rollout', 'status', `deployment/${name}`, '--timeout=60s']);
}
const budget = (name: string, minAvailable: number) =>
  inStaging(
    ['apply', '-f', '-'],
    JSON.stringify({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable, selector: { matchLabels: { app: name } } },
    }),
  );

test('a node is cordoned and uncordoned, and undone', async () => {
  const run = await desk.done('cordon', { node, env });
  expect(run).toMatchObject({
    state: 'finished',
    plan: { changes: [{ path: `Node/${node} spec.unschedulable`, to: true }] },
  });
  expect(await unschedulable()).toBe(true);
  const { report } = await desk.done('nodes', { env });
  expect(JSON.stringify(report)).toContain('ready, cordoned');
  expect(await desk.done('cordon', { node, env })).toMatchObject({ report: { kind: 'unchanged' } });
  expect(run.plan?.undo).toEqual({ operation: 'uncordon', input: { node, env } });
  expect(await desk.done('uncordon', { node, env })).toMatchObject({ state: 'finished' });
  expect(await unschedulable()).toBeUndefined();
  expect(await desk.done('cordon', { node: '127.0.0.2', env })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “127.0.0.1”?') },
  });
});

test('a budget holds a drain up, which says so and goes on elsewhere after a kill -9', {
  timeout: 120_000,
}, async () => {
  await deploy('web', 2);
  await inStaging(
    ['apply', '-f', '-'],
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      ...pods('agent', 0),
      ...dropReplicas(pods('agent', 0)),
    }),
  );
  await inStaging(['rollout', 'status', 'daemonset/agent', '--timeout=60s']);
  await budget('web', 2);
  await sleep(1_000);

  const stuck = await desk.done('drain', { node, env, within: '3s' });
  expect(stuck.plan?.summary).toMatch(
    /^2 pods leave 127\.0\.0\.1; waits for staging\/web, which allows none to go now$/,
  );
  expect(stuck.plan?.changes).toEqual([
    { path: `Node/${node} spec.unschedulable`, to: true },
    { path: expect.stringMatching(/^ReplicaSet staging\/web-/), from: '2 pods', to: 'evicted' },
  ]);
  expect(stuck).toMatchObject({ state: 'failed', fault: { code: 'DRAIN_STUCK' } });
  expect(stuck.fault?.message).toContain('The disruption budget web needs 2 healthy pods and has 2 currently');
  expect(await unschedulable()).toBe(true);
  expect(await podNames()).toHaveLength(3);

  const before = await podNames();
  const id = await desk.ask('drain', { node, env, within: '1m' });
  const killed = createLeases(engine.store, 'killed', quiet);
  const lost = advance(engine, killed, id).catch(() => {});
  await expect.poll(async () => (await desk.run(id)).steps.evict?.note ?? '', { timeout: 10_000 }).toContain('web');
  await engine.redis.hdel(`{shipmate}:v1:run:${id}`, 'leaseUntil');
  const again = advance(engine, desk.leases, id);
  await sleep(500);
  await budget('web', 0);
  await again;
  await lost;
  await killed.stop();
  expect(await desk.run(id)).toMatchObject({ state: 'finished', report: { objects: [`Node/${node}`] } });
  const after = await podNames();
  expect(
    after.filter((name) => before.includes(name)),
    'only the DaemonSet’s pod stays',
  ).toEqual([expect.stringContaining('agent-')]);
  await desk.done('uncordon', { node, env });
  await inStaging(['delete', 'deployment/web', 'pdb/web', '--cascade=foreground']);
});

test('what would be lost for good needs force', { timeout: 120_000 }, async () => {
  await deploy('cache', 1, [{ name: 'data', emptyDir: {} }]);
  const lone = {
    containers: [{ name: 'lone', image: own.busybox, args: ['sleep', '3600'] }],
    terminationGracePeriodSeconds: 0,
  };
  await inStaging(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'lone' }, spec: lone }),
  );
  await inStaging(['wait', '--for=condition=Ready', 'pod/lone', '--timeout=60s']);
  const refused = await desk.done('drain', { node, env });
  expect(refused).toMatchObject({ state: 'failed', fault: { code: 'DRAIN_NEEDS_FORCE' } });
  expect(refused.fault?.message).toMatch(
    /Pod staging\/lone, which nothing makes anew, the emptyDir of ReplicaSet staging\/cache-/,
  );
  expect(await unschedulable(), 'nothing was changed').toBeUndefined();

  const run = await desk.done('drain', { node, env, force: true, within: '1m' });
  expect(run).toMatchObject({ state: 'finished' });
  expect(run.plan?.changes).toContainEqual({
    path: 'Pod staging/lone',
    from: '1 pod',
    to: 'gone for good: nothing makes it anew',
  });
  expect((await podNames()).join()).not.toContain('lone');
});

test('a pod that came after the plan, and that nothing makes anew, is left alone, though others may be lost', {
  timeout: 120_000,
}, async () => {
  await desk.done('uncordon', { node, env });
  await deploy('held', 2);
  await budget('held', 2);
  const id = await desk.ask('drain', { node, env, force: true, within: '1m' });
  const drained = advance(engine, desk.leases, id);
  await expect.poll(async () => (await desk.run(id)).steps.evict?.note ?? '', { timeout: 10_000 }).toContain('held');
  const late = { nodeName: node, containers: [{ name: 'late', image: own.busybox, args: ['sleep', '3600'] }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'late' }, spec: late };
  await inStaging(['apply', '-f', '-'], JSON.stringify(pod));
  await drained;
  expect(await desk.run(id)).toMatchObject({
    state: 'failed',
    fault: { code: 'DRAIN_CAME_SINCE', message: expect.stringContaining('Pod staging/late, which nothing makes anew') },
  });
  expect((await podNames()).join()).toContain('late');
  await inStaging(['delete', 'pod/late', 'deployment/held', 'pdb/held', '--grace-period=0', '--force']);
});

function dropReplicas({ spec: { replicas: _, ...spec } }: ReturnType<typeof pods>) {
  return { spec };
}
