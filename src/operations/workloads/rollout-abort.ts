import { fault } from '../../core/errors.ts';
import { at } from '../../core/json.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import type { Draft } from '../../core/plan.ts';
import { rollLimits, rollPermissions, rollSteps } from '../delivery/roll.ts';
import { ArgoInput, draftOf, drive, guardOfAbort, isUnderWay, rolloutOf } from './argo.ts';
import { workloadRoutes } from './routes.ts';
import { takenUpSteps, writeTakenUp } from './taken-up.ts';

const kinds = ['deployments', 'rollouts'] as const;

async function planAbort(context: PlanContext<'kube'>, abort: boolean): Promise<Draft> {
  const found = await rolloutOf(context, abort ? 'rollout abort' : 'rollout retry');
  const { app, env } = context.place;
  const aborted = at(found.live, 'status', 'abort') === true;
  const summary = abort ? 'all traffic goes back to the stable version' : 'the aborted version is tried again';
  if (abort && !isUnderWay(found) && !aborted)
    throw fault('BAD_INPUT', { problem: `${app} in ${env} is not being rolled out: there is nothing to abort.` });
  if (aborted === abort) return { summary, changes: [], takesOver: [], writes: [] };
  return {
    ...(await draftOf(context, found, { status: { abort }, ...(abort && { guard: guardOfAbort }) })),
    summary,
    undo: { operation: abort ? 'rollout-retry' : 'rollout-abort', input: { app, env } },
  };
}

export const rolloutAbort = defineOperation({
  name: 'rollout-abort',
  summary: 'Take an Argo Rollout back to its stable version',
  effect: 'change',
  input: ArgoInput,
  usage: '<app> in <env>',
  examples: ['rollout/shop in staging'],
  routes: workloadRoutes({ method: 'POST', path: '/abort', summary: 'Back to the stable version', kinds }),
  needs: ['kube'],
  permissions: ['get,list,patch deployments.apps,rollouts.argoproj.io', 'patch rollouts.argoproj.io/status'],
  steps: takenUpSteps,
  first: true,
  target: ({ app, env }) => ({ app, env }),
  plan: (context) => planAbort(context, true),
  run: (run) => writeTakenUp(run, `To try it again: /ship rollout retry ${run.place.app} in ${run.place.env}.`),
});

export const rolloutRetry = defineOperation({
  name: 'rollout-retry',
  summary: 'Try an aborted Argo Rollout again',
  effect: 'change',
  input: ArgoInput,
  usage: '<app> in <env>',
  examples: ['rollout/stopped in staging'],
  routes: workloadRoutes({ method: 'POST', path: '/retry', summary: 'Try the aborted version again', kinds }),
  needs: ['kube'],
  permissions: [...rollPermissions, 'patch rollouts.argoproj.io/status'],
  steps: rollSteps,
  limits: rollLimits,
  target: ({ app, env }) => ({ app, env }),
  plan: (context) => planAbort(context, false),
  run: drive,
});
