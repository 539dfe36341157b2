import { z } from 'zod';
import { at } from '../../core/json.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { roll, rollLimits, rollPermissions, rollSteps } from '../delivery/roll.ts';
import { planWrites } from '../kubernetes/writes.ts';
import { calledBy, refuseKind, workloadOf } from './find.ts';
import { workloadRoutes } from './routes.ts';
import { takenUpSteps, writeTakenUp } from './taken-up.ts';

const kinds = ['deployments', 'rollouts'] as const;
const Input = z.strictObject({ app: WorkloadRef, env: EnvRef });

async function planPaused(context: PlanContext<'kube'>, paused: boolean): Promise<Draft> {
  const { on, place, signal } = context;
  const { app, env, workload } = place;
  const kube = on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const why = 'Kubernetes can pause only Deployments (and Argo its Rollouts)';
  const cron = { why, instead: `/ship cron ${paused ? 'suspend' : 'resume'} ${workload} in ${env}` };
  const set = { why, instead: 'To stop a rollout that goes wrong, go back: /rollback.' };
  const operation = `rollout ${paused ? 'pause' : 'resume'}`;
  refuseKind(operation, found, { StatefulSet: set, DaemonSet: set, Job: { why, instead: '' }, CronJob: cron });
  const planned = await planWrites(kube, [{ kind: 'merge', ref: found.ref, patch: { spec: { paused } } }], signal);
  const is = at(found.live, 'spec', 'paused') === true;
  // What was never paused has no such field, and to resume it would only write down what is so already.
  const changes = is === paused ? [] : planned.changes;
  return {
    ...planned,
    changes,
    writes: changes.length > 0 ? planned.writes : [],
    summary: paused ? `${calledBy(place)}: what is deployed waits until it is resumed` : `${calledBy(place)} goes on`,
    undo: { operation: paused ? 'rollout-resume' : 'rollout-pause', input: { app, env } },
  };
}

export const rolloutPause = defineOperation({
  name: 'rollout-pause',
  summary: 'Hold a rollout where it is',
  effect: 'change',
  input: Input,
  usage: '<app> in <env>',
  examples: ['web in staging'],
  routes: workloadRoutes({ method: 'POST', path: '/pause', summary: 'Pause the rollout', kinds }),
  needs: ['kube'],
  permissions: ['get,list,patch deployments.apps,rollouts.argoproj.io'],
  steps: takenUpSteps,
  target: ({ app, env }) => ({ app, env }),
  plan: (context) => planPaused(context, true),
  run: (run) =>
    writeTakenUp(run, `Pods stay as they are. To go on: /ship rollout resume ${run.place.app} in ${run.place.env}.`),
});

export const rolloutResume = defineOperation({
  name: 'rollout-resume',
  summary: 'Let a paused rollout go on, and follow it',
  effect: 'change',
  input: Input,
  usage: '<app> in <env>',
  examples: ['rollout/checkout in staging', 'web in production'],
  routes: workloadRoutes({ method: 'POST', path: '/resume', summary: 'Resume the rollout', kinds }),
  needs: ['kube'],
  permissions: rollPermissions,
  steps: rollSteps,
  limits: rollLimits,
  target: ({ app, env }) => ({ app, env }),
  plan: (context) => planPaused(context, false),
  run: (run) => roll(run),
});
