import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type JsonObject } from '../../../src/core/json.ts';
import { rolloutsForFile } from '../../support/argo-rollouts.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { comesTo, field, get, image, put, template, web, workload } from './on-the-bed.ts';

/** Blue-green Rollouts, and those whose template is a Deployment's, under Argo Rollouts' own controller. */

let desk: RealDesk;
let staging: string;
let controller: Awaited<ReturnType<typeof rolloutsForFile>>;

const healthy = (name: string) =>
  kubectl(['wait', `rollout/${name}`, '-n', staging, '--for=jsonpath={.status.phase}=Healthy', '--timeout=50s']);
const phase = (name: string) => field(staging, 'rollout', name, 'status', 'phase');
const ask = (operation: string, app: string, more: Record<string, unknown> = {}) =>
  desk.done(operation, { app, env: 'staging', ...more });
const service = (name: string, app: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: staging },
  spec: { selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
});

/** The image behind a Service: of the pods that its selector leads to. */
async function behind(name: string): Promise<string[]> {
  const selector = Object(await field(staging, 'service', name, 'spec', 'selector'));
  const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  const { items } = await get(staging, 'pods', `-l${labels.join(',')}`);
  const images = (Array.isArray(items) ? items : []).map((pod) => at(pod, 'spec', 'containers', 0, 'image'));
  return [...new Set(images.map((image) => String(image).replace(/@.*/, '')))];
}

beforeAll(async () => {
  [desk, controller] = await Promise.all([
    realDesk({
      apps: Object.fromEntries(['blue', 'linked'].map((name) => [name, { image: web('x').replace(':x', '') }])),
    }),
    rolloutsForFile(),
  ]);
  staging = desk.namespaces.staging;
  const blueGreen = {
    activeService: 'blue',
    previewService: 'blue-preview',
    autoPromotionEnabled: false,
    scaleDownDelaySeconds: 600,
  };
  const linked: JsonObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'linked-rollout', namespace: staging },
    spec: {
      replicas: 2,
      workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'linked', scaleDown: 'onsuccess' },
      strategy: { canary: { steps: [{ setWeight: 50 }, { pause: {} }] } },
    },
  };
  await put(
    service('blue', 'blue'),
    service('blue-preview', 'blue'),
    workload('Rollout', 'blue', staging, template('blue', web('v1')), { strategy: { blueGreen } }),
    workload('Deployment', 'linked', staging, template('linked', web('v1'))),
    linked,
  );
  await Promise.all([healthy('blue'), healthy('linked-rollout')]);
  await kubectl(['wait', 'deployment/linked', '-n', staging, '--for=jsonpath={.spec.replicas}=0', '--timeout=30s']);
});
afterAll(async () => {
  await desk.end();
  await controller.kill();
});

test('a blue-green Rollout waits with the new pods in preview; promote switches the traffic', async () => {
  expect(await ask('deploy', 'blue', { tag: 'v2' })).toMatchObject({
    state: 'finished',
    report: { kind: 'changed', note: expect.stringContaining('/ship rollout promote blue in staging') },
  });
  expect([await behind('blue'), await behind('blue-preview')]).toEqual([[web('v1')], [web('v2')]]);
  expect(await ask('status', 'blue')).toMatchObject({ report: { apps: [{ held: 'the Argo Rollout waits' }] } });
  expect(await ask('rollout-promote', 'blue')).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect(await behind('blue')).toEqual([web('v2')]);
});

test('a blue-green Rollout that is aborted keeps its active version, and what still stands is switched to at once', async () => {
  await ask('deploy', 'blue', { tag: 'v1' });
  expect(await ask('rollout-abort', 'blue')).toMatchObject({ state: 'finished' });
  await comesTo(() => phase('blue'), 'Degraded');
  expect(await behind('blue')).toEqual([web('v2')]);
  // The pods of v1 are there still: Argo goes back to them without a pause.
  expect(await ask('rollout-retry', 'blue')).toMatchObject({ report: { kind: 'rolled-out' } });
  expect(await behind('blue')).toEqual([web('v1')]);
});

test('an idle Deployment whose Rollout runs the pods shows as that Rollout', async () => {
  expect(await ask('status', 'linked')).toMatchObject({
    report: { apps: [{ image: 'web:v1', replicas: 2, ready: 2 }] },
  });
});

test('a deploy changes the Deployment and follows the Rollout, to its pause and to its end', async () => {
  const done = await ask('deploy', 'linked', { tag: 'v2' });
  expect(done).toMatchObject({
    state: 'finished',
    plan: { summary: 'web:v1 → web:v2' },
    report: { kind: 'changed', note: expect.stringContaining('rollout promote') },
  });
  expect(done.plan?.changes).toMatchObject([{ path: 'Deployment/linked spec.template.spec.containers[linked].image' }]);
  expect(await image('deployment', staging, 'linked')).toContain(web('v2'));
  expect(await field(staging, 'rollout', 'linked-rollout', 'spec', 'template')).toBeUndefined();
  expect(await ask('rollout-promote', 'linked')).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect(await ask('status', 'linked')).toMatchObject({ report: { apps: [{ image: 'web:v2', ready: 2 }] } });
  expect(await field(staging, 'deployment', 'linked', 'spec', 'replicas')).toBe(0);
});

test('scale goes to the Rollout, back to a revision through the Deployment, and restart replaces the pods', async () => {
  expect(await ask('scale', 'linked', { replicas: 1 })).toMatchObject({ report: { kind: 'rolled-out', replicas: 1 } });
  expect(await field(staging, 'rollout', 'linked-rollout', 'spec', 'replicas')).toBe(1);
  const back = await ask('rollback', 'rollout/linked-rollout', { revision: 1 });
  expect(back).toMatchObject({ state: 'finished', plan: { summary: 'back to revision 1: web:v1' } });
  expect(await image('deployment', staging, 'linked')).toBe(web('v1'));
  expect(await ask('rollout-promote', 'linked', { full: true })).toMatchObject({ report: { kind: 'rolled-out' } });
  expect(await ask('rollback', 'linked')).toMatchObject({
    state: 'finished',
    plan: { summary: expect.stringContaining('from web:v1 to web:v2') },
  });
  expect(await ask('rollout-promote', 'linked', { full: true })).toMatchObject({ report: { kind: 'rolled-out' } });
  expect(await ask('restart', 'linked')).toMatchObject({ report: { kind: 'rolled-out' } });
});

test('how many pods is not for the Deployment to say', async () => {
  expect(await ask('deploy', 'linked', { tag: 'v1', replicas: 3 })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('said by Rollout/linked-rollout') },
  });
});
