import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type Json } from '../../../src/core/json.ts';
import { rolloutsForFile } from '../../support/argo-rollouts.ts';
import { ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { comesTo, field, get, put, template, web, workload } from './on-the-bed.ts';

/** What people approve of an Argo Rollout under its own controller: the Rollout as they saw it, while it moves by itself. */

let desk: RealDesk;
let production: string;
let controller: Awaited<ReturnType<typeof rolloutsForFile>>;

const steps: Json = [{ setWeight: 25 }, { pause: {} }, { setWeight: 50 }, { pause: {} }, { setWeight: 100 }];
const rollout = (name: string) => get(production, 'rollout', name);
const patch = (name: string, what: object, ...more: string[]) =>
  kubectl(['patch', 'rollout', name, '-n', production, '--type=merge', '-p', JSON.stringify(what), ...more]);
const step = (name: string) => field(production, 'rollout', name, 'status', 'currentStepIndex');
const atPause = (name: string, index: number) =>
  comesTo(async () => [await step(name), at(await rollout(name), 'status', 'phase')], [index, 'Paused']);

/** A Rollout that waits at its first pause with a new version. */
async function waiting(name: string): Promise<void> {
  const canary = { replicas: 2, strategy: { canary: { steps } } };
  await put(workload('Rollout', name, production, template(name, web('v1')), canary));
  await kubectl([
    'wait',
    `rollout/${name}`,
    '-n',
    production,
    '--for=jsonpath={.status.phase}=Healthy',
    '--timeout=50s',
  ]);
  await put(workload('Rollout', name, production, template(name, web('v2')), canary));
  await atPause(name, 1);
}

/** Says yes to what was planned, after something else happened. */
async function approved(operation: string, name: string, meanwhile: () => Promise<unknown>) {
  const { id, state } = await desk.done(operation, { app: `rollout/${name}`, env: 'production' });
  expect(state).toBe('awaiting');
  await meanwhile();
  await desk.approve(id, ben);
  return await desk.lap(id);
}

beforeAll(async () => {
  [desk, controller] = await Promise.all([realDesk({ production: { rolloutTimeoutSeconds: 150 } }), rolloutsForFile()]);
  production = desk.namespaces.production;
});
afterAll(async () => {
  await desk.end();
  await controller.kill();
});

test('a promotion is of the Rollout as it was shown: whoever edits it meanwhile makes the question come anew', async () => {
  await waiting('promoted');
  const run = await approved('rollout-promote', 'promoted', () =>
    patch('promoted', { spec: { progressDeadlineSeconds: 77 } }),
  );
  expect(run).toMatchObject({ state: 'awaiting', replanned: true });
  expect(await step('promoted')).toBe(1);
  await desk.approve(run.id, ben);
  expect(await desk.lap(run.id)).toMatchObject({ state: 'finished' });
  await atPause('promoted', 3);
});

test('an abort holds while the Rollout goes on to its next step, and is asked anew for another version', async () => {
  await waiting('aborted');
  const aborted = await approved('rollout-abort', 'aborted', async () => {
    await patch('aborted', { status: { pauseConditions: null } }, '--subresource=status');
    await atPause('aborted', 3);
  });
  expect(aborted).toMatchObject({ state: 'finished' });
  expect(aborted.replanned).toBeFalsy();
  await comesTo(() => field(production, 'rollout', 'aborted', 'status', 'phase'), 'Degraded');
  await waiting('again');
  const other = await approved('rollout-abort', 'again', async () => {
    const before = await field(production, 'rollout', 'again', 'status', 'currentPodHash');
    const canary = { replicas: 2, strategy: { canary: { steps } } };
    await put(workload('Rollout', 'again', production, template('again', web('v3')), canary));
    await comesTo(
      async () => (await field(production, 'rollout', 'again', 'status', 'currentPodHash')) !== before,
      true,
    );
  });
  expect(other).toMatchObject({ state: 'awaiting', replanned: true });
});
