import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type Json } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { type ArgoHand, argoHand, installRollouts } from './argo-by-hand.ts';
import { put, sleeps, template, web, workload } from './on-the-bed.ts';

let desk: RealDesk;
let staging: string;
let argo: ArgoHand;
const steps: Json = [{ setWeight: 20 }, { pause: {} }, { setWeight: 100 }];
const healthy = (hash: string) => ({ phase: 'Healthy', stableRS: hash, currentStepIndex: 3, pauseConditions: null });

beforeAll(async () => {
  desk = await realDesk();
  staging = desk.namespaces.staging;
  await installRollouts();
  const sidecar = { name: 'sidecar', image: bed.busybox, ...sleeps };
  const pods = template('web', web('v1'));
  const spec = { ...Object(pods.spec), containers: [at(pods, 'spec', 'containers', 0) ?? {}, sidecar] };
  await put(workload('Rollout', 'web', staging, { ...pods, spec }, { strategy: { canary: { steps } } }));
  argo = argoHand(staging, 'web');
  await argo.reconcile('aaa', 1, healthy('aaa'));
});
afterAll(() => desk.end());

const ask = (operation: string, more: Record<string, unknown> = {}) =>
  desk.done(operation, { app: 'web', env: 'staging', ...more });
/** Asks, and lets Argo act once the field is as wanted. */
async function withArgo(
  operation: string,
  more: Record<string, unknown>,
  [path, wanted]: [string, unknown],
  act: () => Promise<void>,
) {
  const [run] = await Promise.all([ask(operation, more), argo.until(path.split(' '), wanted).then(act)]);
  return run;
}
const pauseConditions = [{ reason: 'CanaryPauseStep', startTime: '2026-11-25T02:00:00Z' }];
const paused = { phase: 'Paused', message: 'CanaryPauseStep', stableRS: 'aaa', currentStepIndex: 1, pauseConditions };

test('an app whose name leads to a Rollout shows in status', async () => {
  expect(await ask('status')).toMatchObject({
    report: { kind: 'status', apps: [{ app: 'web', image: 'web:v1', replicas: 1, ready: 1 }] },
  });
});

test('a deploy changes the template’s one container, and ends where the Rollout pauses by itself', async () => {
  const done = await withArgo('deploy', { tag: 'v2' }, ['metadata generation', 2], () =>
    argo.reconcile('bbb', 2, paused),
  );
  expect(done).toMatchObject({
    state: 'finished',
    plan: { summary: 'web:v1 → web:v2' },
    report: { kind: 'changed', note: expect.stringContaining('/ship rollout promote web in staging') },
  });
  const containers = at(await argo.rollout(), 'spec', 'template', 'spec', 'containers');
  expect(containers).toMatchObject([
    { name: 'web', image: expect.stringContaining(`${web('v2')}@sha256:`) },
    { name: 'sidecar', image: bed.busybox, args: ['sleep', '3600'] },
  ]);
  expect(await ask('status')).toMatchObject({
    report: { apps: [{ held: 'the Argo Rollout waits at step 2 of 3, weight 20 %' }] },
  });
  expect(await ask('rollout-status')).toMatchObject({
    report: { note: expect.stringContaining('waits at step 2 of 3') },
  });
});

test('promote lifts the pause, once, and follows the Rollout to its end', async () => {
  const done = await withArgo('rollout-promote', {}, ['status pauseConditions', undefined], () =>
    argo.reconcile('bbb', 2, healthy('bbb')),
  );
  expect(done).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', ready: 1 } });
  expect(done.plan?.changes).toEqual([{ path: 'Rollout/web status.pauseConditions', from: pauseConditions }]);
  expect(await ask('rollout-promote')).toMatchObject({ report: { kind: 'unchanged' } });
});

test('abort and retry go through Argo’s own fields', async () => {
  expect(await ask('rollout-abort')).toMatchObject({ fault: { message: expect.stringContaining('nothing to abort') } });
  await withArgo('deploy', { tag: 'v1' }, ['metadata generation', 3], () =>
    argo.reconcile('ccc', 3, { ...paused, stableRS: 'bbb' }),
  );
  const aborted = await ask('rollout-abort');
  expect(aborted).toMatchObject({ state: 'finished', plan: { undo: { operation: 'rollout-retry' } } });
  expect(at(await argo.rollout(), 'status', 'abort')).toBe(true);
  await argo.reconcile('ccc', 3, {
    phase: 'Degraded',
    message: 'RolloutAborted: Rollout aborted update to revision 3',
  });
  expect(await ask('status')).toMatchObject({ report: { apps: [{ held: expect.stringContaining('was aborted') }] } });
  const again = await withArgo('rollout-retry', {}, ['status abort', false], () =>
    argo.reconcile('ccc', 3, healthy('ccc')),
  );
  expect(again).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
});

test('promote to the very end says so to Argo', async () => {
  await withArgo('deploy', { tag: 'v2' }, ['metadata generation', 4], () =>
    argo.reconcile('ddd', 4, { ...paused, stableRS: 'ccc' }),
  );
  const done = await withArgo('rollout-promote', { full: true }, ['status promoteFull', true], () =>
    argo.reconcile('ddd', 4, { ...healthy('ddd'), promoteFull: null }),
  );
  expect(done).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
});

test('pause, resume and restart write the Rollout’s own fields', async () => {
  expect(await ask('rollout-pause')).toMatchObject({ state: 'finished' });
  expect(at(await argo.rollout(), 'spec', 'paused')).toBe(true);
  const resumed = await withArgo('rollout-resume', {}, ['spec paused', false], () =>
    argo.reconcile('ddd', 4, healthy('ddd')),
  );
  expect(resumed).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });

  const id = await desk.ask('restart', { app: 'web', env: 'staging' });
  const [restarted] = await Promise.all([
    desk.lap(id),
    argo.until(['metadata', 'annotations', 'shipmate.dev/run'], id).then(async () => {
      const restartedAt = at(await argo.rollout(), 'spec', 'restartAt') ?? '';
      await argo.reconcile('ddd', 4, { ...healthy('ddd'), restartedAt });
    }),
  ]);
  expect(restarted).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect(at(await argo.rollout(), 'spec', 'restartAt')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('scale, history and rollback to a revision work on it too', async () => {
  const scaled = await withArgo('scale', { replicas: '+1' }, ['spec replicas', 2], () =>
    argo.reconcile('ddd', 4, healthy('ddd')),
  );
  expect(scaled).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', replicas: 2 } });
  const history = await ask('rollout-history');
  expect(history.report?.kind === 'table' && history.report.rows.map(([number]) => number)).toEqual([
    '4 (now)',
    '3',
    '2',
    '1',
  ]);
  const back = await withArgo('rollback', { revision: 1 }, ['metadata annotations rollback', undefined], async () => {
    await expect
      .poll(async () => at(await argo.rollout(), 'spec', 'template', 'spec', 'containers', 0, 'image'), {
        timeout: 20_000,
      })
      .toBe(web('v1'));
    await argo.reconcile('aaa', 5, healthy('aaa'));
  });
  expect(back).toMatchObject({
    state: 'finished',
    plan: { summary: expect.stringMatching(/^back to revision 1: web:v1, /) },
  });
});

test('on what is no Rollout, promote is explained', async () => {
  await put(workload('Deployment', 'plain', staging, template('plain', web('v1'))));
  expect(await desk.done('rollout-promote', { app: 'deployment/plain', env: 'staging' })).toMatchObject({
    fault: { code: 'NOT_FOR_KIND', message: expect.stringContaining('only an Argo Rollout') },
  });
});
