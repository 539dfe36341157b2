import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClusters } from '../../../src/clients/kube/clusters.ts';
import { Fault } from '../../../src/core/errors.ts';
import { EnvironmentSettings } from '../../../src/core/settings.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let close: () => Promise<void>;
const fresh = `fresh-${Math.random().toString(36).slice(2, 8)}`;
beforeAll(async () => {
  desk = await realDesk();
  const settings = desk.engine.settings();
  Object.assign(settings.environments, { fresh: EnvironmentSettings.parse({ namespace: fresh }) });
  // Definitions, namespaces and roles go beyond what Shipmate's own role has unless somebody widens it.
  const clusters = createClusters({ kubeconfig: bed.kubeconfig });
  close = clusters.close;
  Object.assign(desk.engine.clients, { kube: clusters.kube });
  Object.assign(settings.manifests, { clusterScopedIn: ['fresh'], allowKinds: ['Role'] });
});
afterAll(async () => {
  await desk.end();
  await close();
  await kubectl(['delete', 'crd', 'gadgets.shop.example.com', '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', 'namespace', fresh, '--ignore-not-found', '--wait=false']);
});

const gadgets = `
apiVersion: shop.example.com/v1
kind: Gadget
metadata: { name: first }
spec: { wheels: 4, anything: { goes: [1, two] } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { a: "1" }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: "reader:gadgets" }
rules: [{ apiGroups: [shop.example.com], resources: [gadgets], verbs: [get] }]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: gadgets.shop.example.com }
spec:
  group: shop.example.com
  scope: Namespaced
  names: { kind: Gadget, plural: gadgets, singular: gadget }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
---
apiVersion: v1
kind: Namespace
metadata: { name: ${fresh} }
`;

test('a manifest brings its own namespace and kinds; what could not be checked is said', async () => {
  const run = await desk.done('apply', { env: 'fresh', manifest: gadgets });
  const changes = (run.plan?.changes ?? []).map(({ path, to }) => `${path}: ${String(to)}`);
  expect(changes).toContain(
    'ConfigMap/settings: new; the cluster could not check it yet: its namespace comes with this manifest',
  );
  expect(changes).toContain(
    'Gadget/first: new; the cluster could not check it yet: its definition (CRD) comes with this manifest',
  );
  expect(run).toMatchObject({
    state: 'finished',
    report: {
      objects: [
        `Namespace/${fresh}`,
        'CustomResourceDefinition/gadgets.shop.example.com',
        'Role/reader:gadgets',
        'ConfigMap/settings',
        'Gadget/first',
      ],
    },
  });
  const { spec } = JSON.parse(await kubectl(['get', 'gadget/first', '-n', fresh, '-o', 'json']));
  expect(spec, 'unknown fields survive').toEqual({ wheels: 4, anything: { goes: [1, 'two'] } });
  expect(await desk.done('apply', { env: 'fresh', manifest: gadgets })).toMatchObject({
    report: { kind: 'unchanged' },
  });
});

test('where the cluster stops it half-way, what was done and what was not is said', async () => {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few' } };
  const { staging } = desk.namespaces;
  await kubectl(
    ['apply', '-n', staging, '-f', '-'],
    JSON.stringify({ ...quota, spec: { hard: { 'count/services': '1' } } }),
  );
  const counted = async () => JSON.parse(await kubectl(['get', 'quota/few', '-n', staging, '-o', 'json'])).status?.used;
  await expect.poll(counted, { timeout: 20_000 }).toEqual({ 'count/services': '0' });
  const service = (name: string) =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}], selector: {a: b}}\n`;
  const manifest = [service('one'), service('two'), service('three')].join('---\n');
  const run = await desk.done('apply', { env: 'staging', manifest });
  expect(run).toMatchObject({ state: 'failed', fault: { code: 'PARTLY_APPLIED' } });
  expect(run.fault?.message).toMatch(/Done: Service\/one\. Not done: Service\/two, Service\/three\. .*exceeded quota/);
  const services = await kubectl(['get', 'services', '-n', staging, '-o', 'name']);
  expect(services.trim()).toBe('service/one');
});

test('without a manifest, or with too large a one, nothing is begun', async () => {
  expect(await desk.done('apply', { env: 'staging' })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('Which manifest?') },
  });
  expect(await desk.done('apply', { env: 'staging', manifest: 'a: 1', git: 'https://x.example/y' })).toMatchObject({
    fault: { message: expect.stringContaining('not both') },
  });
  const large = desk.done('apply', { env: 'staging', manifest: 'x'.repeat(1_048_577) });
  await expect(large).rejects.toBeInstanceOf(Fault);
});

test('a kind of one’s own that vanishes from a set wholly is pruned as well', async () => {
  const gadget = (name: string) =>
    `apiVersion: shop.example.com/v1\nkind: Gadget\nmetadata: {name: ${name}}\nspec: {wheels: 2}\n`;
  const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fleet}\ndata: {a: "1"}\n';
  const apply = (manifest: string) => desk.done('apply', { env: 'fresh', manifest, prune: 'fleet' });
  const gadgetsThere = () => kubectl(['get', 'gadgets', '-n', fresh, '-o', 'name']);
  await apply([gadget('two'), map, gadget('three')].join('---\n'));
  expect(await apply([gadget('two'), map, gadget('three')].join('---\n'))).toMatchObject({
    report: { kind: 'unchanged' },
  });
  const pruned = await apply(map);
  expect(pruned.plan?.changes).toEqual([
    { path: 'Gadget/three', from: 'in the set fleet', to: 'deleted' },
    { path: 'Gadget/two', from: 'in the set fleet', to: 'deleted' },
  ]);
  expect(pruned).toMatchObject({ state: 'finished' });
  expect(await gadgetsThere()).not.toMatch(/two|three/);
  expect(await gadgetsThere(), 'what is of no set stays').toContain('first');
  expect(await apply(map)).toMatchObject({ report: { kind: 'unchanged' } });
});
