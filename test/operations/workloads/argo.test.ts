import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type Json, type JsonObject } from '../../../src/core/json.ts';
import { rolloutsForFile } from '../../support/argo-rollouts.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { comesTo, field, get, put, sleeps, template, web, workload } from './on-the-bed.ts';

/** Under Argo Rollouts' own controller. */

let desk: RealDesk;
let staging: string;
let controller: Awaited<ReturnType<typeof rolloutsForFile>>;

const phase = (name: string) => field(staging, 'rollout', name, 'status', 'phase');
const healthy = (name: string) =>
  kubectl(['wait', `rollout/${name}`, '-n', staging, '--for=jsonpath={.status.phase}=Healthy', '--timeout=50s']);
const rollout = (name = 'web') => get(staging, 'rollout', name);
const steps: Json = [{ setWeight: 50 }, { pause: {} }, { setWeight: 100 }];
const ask = (operation: string, more: Record<string, unknown> = {}) =>
  desk.done(operation, { app: 'web', env: 'staging', ...more });

/** The images that the pods of a Rollout run, as kubectl sees them. */
async function running(name: string): Promise<string[]> {
  const { items } = await get(staging, 'pods', `-lapp=${name}`);
  return (Array.isArray(items) ? items : [])
    .filter((pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined)
    .map((pod) => String(at(pod, 'spec', 'containers', 0, 'image')).replace(/@.*/, ''))
    .sort();
}

beforeAll(async () => {
  [desk, controller] = await Promise.all([realDesk({ staging: { rolloutTimeoutSeconds: 150 } }), rolloutsForFile()]);
  staging = desk.namespaces.staging;
  const sidecar: JsonObject = { name: 'sidecar', image: bed.busybox, ...sleeps };
  const pods = template('web', web('v1'));
  const spec = { ...Object(pods.spec), containers: [at(pods, 'spec', 'containers', 0) ?? {}, sidecar] };
  const canary = { replicas: 2, strategy: { canary: { steps } } };
  await put(workload('Rollout', 'web', staging, { ...pods, spec }, canary));
  await healthy('web');
});
afterAll(async () => {
  await desk.end();
  await controller.kill();
});

test('an app whose name leads to a Rollout shows in status', async () => {
  expect(await ask('status')).toMatchObject({
    report: { kind: 'status', apps: [{ app: 'web', image: 'web:v1', replicas: 2, ready: 2 }] },
  });
});

test('a deploy changes the template’s one container, and ends where the Rollout pauses by itself', async () => {
  const done = await ask('deploy', { tag: 'v2' });
  expect(done).toMatchObject({
    state: 'finished',
    plan: { summary: 'web:v1 → web:v2' },
    report: { kind: 'changed', note: expect.stringContaining('/ship rollout promote web in staging') },
  });
  expect(at(await rollout(), 'spec', 'template', 'spec', 'containers')).toMatchObject([
    { name: 'web', image: expect.stringContaining(`${web('v2')}@sha256:`) },
    { name: 'sidecar', image: bed.busybox, args: ['sleep', '3600'] },
  ]);
  expect(await running('web')).toEqual([web('v1'), web('v2')]);
  expect(await ask('status')).toMatchObject({
    report: { apps: [{ held: 'the Argo Rollout waits at step 2 of 3, weight 50 %' }] },
  });
  expect(await ask('rollout-status')).toMatchObject({
    report: { note: expect.stringContaining('waits at step 2 of 3') },
  });
});

test('promote lifts the pause, once, and follows the Rollout to its end', async () => {
  const done = await ask('rollout-promote');
  expect(done).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', ready: 2 } });
  expect(done.plan?.changes).toMatchObject([{ path: 'Rollout/web status.pauseConditions' }]);
  await comesTo(() => running('web'), [web('v2'), web('v2')]);
  expect(await ask('rollout-promote')).toMatchObject({ report: { kind: 'unchanged' } });
});

test('abort goes back to the stable version, and retry tries again what was aborted', async () => {
  expect(await ask('rollout-abort')).toMatchObject({ fault: { message: expect.stringContaining('nothing to abort') } });
  await ask('deploy', { tag: 'v1' });
  const aborted = await ask('rollout-abort');
  expect(aborted).toMatchObject({ state: 'finished', plan: { undo: { operation: 'rollout-retry' } } });
  await comesTo(() => phase('web'), 'Degraded');
  await comesTo(() => running('web'), [web('v2'), web('v2')]);
  expect(await ask('status')).toMatchObject({ report: { apps: [{ held: expect.stringContaining('was aborted') }] } });
  expect(await ask('rollout-retry')).toMatchObject({ state: 'finished', report: { kind: 'changed' } });
  expect(await running('web')).toEqual([web('v1'), web('v2')]);
});

test('promote to the very end skips what is left', async () => {
  expect(await ask('rollout-promote', { full: true })).toMatchObject({
    state: 'finished',
    report: { kind: 'rolled-out' },
  });
  expect(await phase('web')).toBe('Healthy');
  await comesTo(() => running('web'), [web('v1'), web('v1')]);
});

test('what crashes ends with the reason, and a rollback leads back without a pause', async () => {
  const broken = await ask('deploy', { tag: 'v3' });
  expect(broken).toMatchObject({
    state: 'failed',
    report: { kind: 'rollout-failed', trouble: { code: 'crash-loop' } },
  });
  const back = await ask('rollback');
  expect(back).toMatchObject({ state: 'finished', plan: { summary: expect.stringContaining('to web:v1') } });
  expect(back.report).toMatchObject({ kind: 'rolled-out' });
  await comesTo(() => running('web'), [web('v1'), web('v1')]);
});

test('pause holds what is deployed, resume lets it go on, and restart replaces the pods', {
  timeout: 240_000,
}, async () => {
  expect(await ask('rollout-pause')).toMatchObject({ state: 'finished' });
  expect(at(await rollout(), 'spec', 'paused')).toBe(true);
  expect(await ask('rollout-resume')).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  const uids = async () => {
    const { items } = await get(staging, 'pods', '-lapp=web');
    return (Array.isArray(items) ? items : []).map((pod) => at(pod, 'metadata', 'uid'));
  };
  const before = await uids();
  expect(await ask('restart')).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect((await uids()).filter((uid) => before.includes(uid))).toEqual([]);
});

test('a change that its controller does not take up is made known to it again', { timeout: 120_000 }, async () => {
  controller.pause();
  try {
    const restarted = ask('restart');
    const touched = async () => typeof at(await rollout(), 'metadata', 'annotations', 'shipmate.dev/touched');
    await expect.poll(touched, { timeout: 20_000 }).toBe('string');
    controller.resume();
    expect(await restarted).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  } finally {
    controller.resume();
  }
});

test('a pause counts once the controller holds the Rollout, not when it is written', { timeout: 120_000 }, async () => {
  controller.pause();
  try {
    const paused = ask('rollout-pause');
    await comesTo(async () => at(await rollout(), 'spec', 'paused') === true, true);
    expect(await Promise.race([paused, sleep(2_000, 'not yet')])).toBe('not yet');
    controller.resume();
    expect(await paused).toMatchObject({ state: 'finished', report: { kind: 'changed' } });
    expect(await phase('web')).toBe('Paused');
  } finally {
    controller.resume();
  }
  expect(await ask('rollout-resume')).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
});

test('scale, history and rollback to a revision work on it too', async () => {
  expect(await ask('scale', { replicas: '+1' })).toMatchObject({
    state: 'finished',
    report: { kind: 'rolled-out', replicas: 3 },
  });
  const { report } = await ask('rollout-history');
  const rows = report?.kind === 'table' ? report.rows : [];
  expect(rows[0]?.[0]).toMatch(/^\d+ \(now\)$/);
  const older = rows.find(([, , images]) => images?.includes('web:v2'))?.[0];
  const back = await ask('rollback', { revision: Number(older) });
  expect(back).toMatchObject({
    state: 'finished',
    plan: { summary: expect.stringMatching(/^back to revision \d+: web:v2, /) },
    report: { kind: 'changed' },
  });
  expect(await ask('rollout-promote')).toMatchObject({ report: { kind: 'rolled-out', replicas: 3 } });
});

test('a Rollout that reads a ConfigMap is found, and takes it up in its own steps', { timeout: 120_000 }, async () => {
  const set = { name: 'settings', env: 'staging' };
  await desk.done('config-set', { ...set, values: ['LEVEL=info'] });
  const pods = template('reader', web('v1'));
  const reads = { ...Object(at(pods.spec, 'containers', 0)), envFrom: [{ configMapRef: { name: 'settings' } }] };
  const spec = { ...Object(pods.spec), containers: [reads] };
  await put(
    workload('Rollout', 'reader', staging, { ...pods, spec }, { replicas: 2, strategy: { canary: { steps } } }),
  );
  await healthy('reader');
  expect(await desk.done('config-consumers', set)).toMatchObject({
    report: { rows: [['ConfigMap/settings', 'Rollout/reader', expect.any(String)]] },
  });
  expect(await desk.done('config-set', { ...set, values: ['LEVEL=debug'], restart: true })).toMatchObject({
    state: 'finished',
    report: { kind: 'changed', note: expect.stringContaining('/ship rollout promote rollout/reader in staging') },
  });
  expect(await desk.done('rollout-promote', { app: 'rollout/reader', env: 'staging' })).toMatchObject({
    report: { kind: 'rolled-out' },
  });
});

test('a Rollout without pods counts among what would run an image, and what runs under a ServiceAccount', async () => {
  const idle = template('idle', web('v3'));
  await put(workload('Rollout', 'idle', staging, idle, { replicas: 0, strategy: { canary: { steps } } }));
  expect(await desk.done('image-delete', { app: 'web', tag: 'v3' })).toMatchObject({
    state: 'failed',
    fault: { code: 'IMAGE_IN_USE', message: expect.stringContaining('rollout/idle') },
  });
  const { report } = await desk.done('serviceaccounts', { env: 'staging' });
  expect(report).toMatchObject({
    rows: [['default', expect.stringContaining('Rollout/idle'), '', 'yes', expect.any(String)]],
  });
});

test('on what is no Rollout, promote is explained', async () => {
  await put(workload('Deployment', 'plain', staging, template('plain', web('v1'))));
  expect(await desk.done('rollout-promote', { app: 'deployment/plain', env: 'staging' })).toMatchObject({
    fault: { code: 'NOT_FOR_KIND', message: expect.stringContaining('only an Argo Rollout') },
  });
});
