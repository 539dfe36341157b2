import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field, put, rolledOut, template, web, workload } from '../workloads/on-the-bed.ts';

/** What belongs to an Argo CD application, and what Shipmate says before it fights Git. */

let desk: RealDesk;
let staging: string;
const repo = 'https://github.com/team/shop.git';

beforeAll(async () => {
  desk = await realDesk();
  staging = desk.namespaces.staging;
  const made: JsonObject = workload('Deployment', 'web', staging, template('web', web('v1')));
  await put(
    { ...made, metadata: { name: 'web', namespace: staging, labels: { 'argocd.argoproj.io/instance': 'shop' } } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'shop',
        namespace: staging,
        annotations: { 'argocd.argoproj.io/tracking-id': `shop:/ConfigMap:${staging}/shop` },
      },
      data: { LEVEL: 'info' },
    },
  );
  await rolledOut(staging, 'deployment', 'web');
});
afterAll(async () => {
  await kubectl(['delete', 'crd', 'applications.argoproj.io', '--ignore-not-found', '--wait=false']);
  await desk.end();
});

/** As Argo CD's own definition has it where it matters: anything goes in the spec. */
async function installApplications(): Promise<void> {
  await put({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'applications.argoproj.io' },
    spec: {
      group: 'argoproj.io',
      scope: 'Namespaced',
      names: { kind: 'Application', plural: 'applications', singular: 'application', listKind: 'ApplicationList' },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });
  await kubectl(['wait', '--for=condition=Established', 'crd/applications.argoproj.io', '--timeout=20s']);
}

const shop = (spec: JsonObject) =>
  put({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: desk.namespaces.production },
    spec: { source: { repoURL: repo, path: 'deploy', targetRevision: 'main' }, ...spec },
  });
const ask = (operation: string, more: Record<string, unknown> = {}) =>
  desk.done(operation, { app: 'web', env: 'staging', ...more });
const set = (value: string) => desk.done('config-set', { name: 'shop', values: [`LEVEL=${value}`], env: 'staging' });

test('where its application cannot be seen, that is said, and it goes on', async () => {
  const done = await ask('deploy', { tag: 'v2' });
  expect(done).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect(done.plan?.warnings).toEqual([
    expect.stringMatching(/^Deployment\/web belongs to the Argo CD application shop: .*image back.* may not see/),
  ]);
});

test('without selfHeal the plan warns of the next sync, and names where to change it', async () => {
  await installApplications();
  await shop({ syncPolicy: { automated: {} } });
  const scaled = await ask('scale', { replicas: 2 });
  expect(scaled).toMatchObject({ state: 'finished' });
  expect(scaled.plan?.warnings).toEqual([
    `Deployment/web belongs to the Argo CD application shop: its next sync puts spec.replicas back. Change that in Git (${repo}, deploy, main) as well.`,
  ]);
  const kept = await set('warn');
  expect(kept.plan?.warnings).toEqual([expect.stringContaining('ConfigMap/shop belongs to')]);
});

test('with selfHeal it is refused, with what to do; what Git does not say goes on as ever', async () => {
  await shop({ syncPolicy: { automated: { selfHeal: true } } });
  for (const refused of [
    await ask('deploy', { tag: 'v1' }),
    await ask('scale', { replicas: 3 }),
    await set('debug'),
    await ask('workload-delete', { app: 'deployment/web' }),
    await ask('rollback', { revision: 1 }),
    await desk.done('apply', {
      env: 'staging',
      manifest: JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'shop' },
        data: { LEVEL: 'x' },
      }),
    }),
  ])
    expect(refused, refused.operation).toMatchObject({
      state: 'failed',
      fault: { code: 'MANAGED_BY_GIT', hint: expect.stringContaining(`Change it in Git (${repo}, deploy, main)`) },
    });
  expect(await field(staging, 'deployment', 'web', 'spec', 'replicas')).toBe(2);
  expect(await field(staging, 'configmap', 'shop', 'data', 'LEVEL')).toBe('warn');
  const restarted = await ask('restart');
  expect(restarted).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
});

test('what the application is told to ignore is Shipmate’s to change', async () => {
  const ignoreDifferences = [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }];
  await shop({ ignoreDifferences, syncPolicy: { automated: { selfHeal: true } } });
  const scaled = await ask('scale', { replicas: 1 });
  expect(scaled).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', replicas: 1 } });
  expect(scaled.plan?.warnings).toBeUndefined();
});
