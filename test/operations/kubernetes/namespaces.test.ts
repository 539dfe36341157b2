import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fault } from '../../../src/core/errors.ts';
import type { Kube } from '../../../src/core/kube.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
const tag = Math.random().toString(36).slice(2, 8);
const fresh = `preview-${tag}`;
const stuck = `stuck-${tag}`;

beforeAll(async () => {
  desk = await realDesk({
    namespaceTemplate: {
      labels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
      annotations: {},
      quota: { 'requests.cpu': '2', pods: '10' },
      limits: { default: { cpu: '500m' }, defaultRequest: { cpu: '100m' } },
      networkPolicy: 'deny-all',
    },
  });
});
afterAll(async () => {
  const patch = '{"metadata":{"finalizers":null}}';
  await kubectl(['patch', 'configmap', 'held', '-n', stuck, '--type=merge', '-p', patch]).catch(() => {});
  await kubectl(['delete', 'namespace', fresh, stuck, '--ignore-not-found', '--wait=false']);
  await desk.end();
});

const json = async (...args: string[]) => JSON.parse(await kubectl([...args, '-o', 'json']));
const gone = async (name: string) => (await kubectl(['get', 'namespace', name, '--ignore-not-found'])) === '';

test('a namespace is made with labels, quota, limits and a policy that denies, and undone', async () => {
  const made = await desk.done('namespace-create', { name: fresh, env: 'staging', labels: ['team=shop'] });
  expect(made).toMatchObject({
    state: 'finished',
    plan: { summary: `new namespace ${fresh} with NetworkPolicy, ResourceQuota, LimitRange` },
  });
  expect(made.plan?.changes).toContainEqual({ path: 'ResourceQuota/default spec.hard.pods', to: '10' });
  expect((await json('get', 'namespace', fresh)).metadata.labels).toMatchObject({
    team: 'shop',
    'pod-security.kubernetes.io/enforce': 'baseline',
    'app.kubernetes.io/managed-by': 'shipmate',
  });
  expect((await json('get', 'quota', 'default', '-n', fresh)).spec.hard).toEqual({ pods: '10', 'requests.cpu': '2' });
  expect((await json('get', 'limitrange', 'default', '-n', fresh)).spec.limits[0]).toMatchObject({
    type: 'Container',
    default: { cpu: '500m' },
    defaultRequest: { cpu: '100m' },
  });
  const policy = await json('get', 'networkpolicy', 'default-deny-all', '-n', fresh);
  expect(policy.spec).toMatchObject({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  expect(policy.spec.egress[0].ports).toContainEqual({ protocol: 'UDP', port: 53 });

  const again = await desk.done('namespace-create', { name: fresh, env: 'staging' });
  expect(again).toMatchObject({ state: 'failed', fault: { code: 'OBJECT_EXISTS' } });

  await kubectl(['create', 'configmap', 'settings', '-n', fresh, '--from-literal=A=1']);
  const { operation = '', input = {} } = made.plan?.undo ?? {};
  const deleted = await desk.done(operation, input);
  expect(deleted).toMatchObject({ state: 'finished', report: { objects: [`Namespace/${fresh}`] } });
  expect(deleted.plan?.changes).toEqual(
    expect.arrayContaining([
      { path: `Namespace/${fresh}`, from: 'there', to: 'deleted' },
      { path: 'in it: ConfigMap', from: '1: settings' },
      { path: 'in it: ResourceQuota', from: '1: default' },
    ]),
  );
  expect(deleted.plan?.summary).toContain('1 ConfigMap');
  expect(await gone(fresh)).toBe(true);
});

test.each(['default', 'kube-system', 'kube-public', 'istio-system'])('%s is never deleted', async (name) => {
  expect(await desk.done('namespace-delete', { name, again: name, env: 'staging' })).toMatchObject({
    state: 'failed',
    fault: { code: 'PROTECTED' },
  });
});

test('the name is given twice, and what an environment stands for only falls where that one is named', async () => {
  const { production } = desk.namespaces;
  const differ = await desk.done('namespace-delete', { name: stuck, again: 'stuk', env: 'staging' });
  expect(differ).toMatchObject({ fault: { code: 'BAD_INPUT', message: expect.stringContaining('twice') } });
  const wrong = await desk.done('namespace-delete', { name: production, again: production, env: 'staging' });
  expect(wrong).toMatchObject({
    fault: { code: 'PROTECTED', message: expect.stringContaining('environment “production”') },
  });
  const named = await desk.done('namespace-delete', { name: production, again: production, env: 'production' });
  expect(named.state, 'there it waits for approval').toBe('awaiting');
  const near = `${production.slice(0, -1)}`;
  const missing = await desk.done('namespace-delete', { name: near, again: near, env: 'staging' });
  expect(missing).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining(`“${production}”`) },
  });
  // A plan only looks, also at what it would delete.
  expect((await json('get', 'namespace', production)).status.phase).toBe('Active');
});

const forbidden = (cluster: string) =>
  fault('CLUSTER_FORBIDDEN', { cluster, who: 'Shipmate', what: 'list services', remedy: 'Ask.' });

test('kinds that Shipmate may not look at are named in the plan', async () => {
  const { kube } = desk.engine.clients;
  const blind = (cluster: string): Kube => ({
    ...kube(cluster),
    list: async (selection, signal) => {
      if (selection.kind === 'Ingress') throw forbidden(cluster);
      return await kube(cluster).list(selection, signal);
    },
  });
  desk.engine.clients.kube = blind;
  const { production } = desk.namespaces;
  const run = await desk.done('namespace-delete', { name: production, again: production, env: 'production' });
  desk.engine.clients.kube = kube;
  expect(run.plan?.summary).toContain('Shipmate may not see Ingress there');
});

test('a namespace that is stuck is listed with why, and its deletion says so and waits', async () => {
  await kubectl(['create', 'namespace', stuck]);
  const held = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/hold'] } };
  await kubectl(['create', '-n', stuck, '-f', '-'], JSON.stringify(held));
  const id = await desk.ask('namespace-delete', { name: stuck, again: stuck, env: 'staging' });
  const deleting = desk.lap(id);
  const rowOf = async () => {
    const { report } = await desk.done('namespaces', { env: 'staging' });
    return report?.kind === 'table' ? report.rows.find(([name]) => name === stuck) : undefined;
  };
  let row = await rowOf();
  for (let tries = 0; tries < 40 && !row?.[1]?.includes('finalizers'); tries++) {
    await sleep(500);
    row = await rowOf();
  }
  expect(row?.[1]).toMatch(/^Terminating for \d+ s: .*example\.com\/hold/);
  await expect
    .poll(async () => (await desk.run(id)).steps.gone?.note, { timeout: 15_000 })
    .toContain('example.com/hold');
  await kubectl(['patch', 'configmap', 'held', '-n', stuck, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  expect(await deleting).toMatchObject({ state: 'finished' });
  expect(await gone(stuck)).toBe(true);
  const { report } = await desk.done('namespaces', {});
  expect(report).toMatchObject({
    columns: ['Namespace', 'State', 'Age', 'Environment'],
    rows: expect.arrayContaining([[desk.namespaces.staging, 'Active', expect.any(String), 'staging']]),
  });
});
