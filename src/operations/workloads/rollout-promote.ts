import { z } from 'zod';
import { at, type JsonObject } from '../../core/json.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import type { Draft } from '../../core/plan.ts';
import { rollLimits, rollPermissions, rollSteps } from '../delivery/roll.ts';
import { ArgoInput, draftOf, drive, isUnderWay, rolloutOf } from './argo.ts';
import type { Found } from './find.ts';
import { heldUp } from './held-up.ts';
import { workloadRoutes } from './routes.ts';

const Full = z.boolean('must be yes or no').default(false).describe('Skip all that is left: pauses, steps, analysis');

/** What Argo's tool would write to go on by one: lift the pause, or else skip the step that it is at. */
function nextStatus({ live }: Found): JsonObject {
  const status = live.status ?? {};
  const conditions = at(status, 'pauseConditions');
  const steps = at(live, 'spec', 'strategy', 'canary', 'steps');
  const index = Number(at(status, 'currentStepIndex') ?? 0);
  const next = Math.min(index + 1, Array.isArray(steps) ? steps.length : 0);
  if (Array.isArray(conditions) && conditions.length > 0) {
    const inconclusive =
      at(status, 'controllerPause') === true &&
      at(status, 'canary', 'currentStepAnalysisRunStatus', 'status') === 'Inconclusive';
    return inconclusive
      ? { pauseConditions: null, controllerPause: false, currentStepIndex: next }
      : { pauseConditions: null };
  }
  return Array.isArray(steps) && index < steps.length ? { pauseConditions: null, currentStepIndex: next } : {};
}

async function planPromote(context: PlanContext<'kube'>, full: boolean): Promise<Draft> {
  const found = await rolloutOf(context, 'rollout promote');
  const paused = at(found.live, 'spec', 'paused') === true;
  const now = heldUp(found.live) ?? 'the Argo Rollout is under way';
  if (!isUnderWay(found) && !paused)
    return { summary: 'it is through already', changes: [], takesOver: [], writes: [] };
  const status = full ? { promoteFull: true } : nextStatus(found);
  return {
    ...(await draftOf(context, found, { status, spec: paused ? { paused: false } : undefined })),
    summary: `${now}; ${full ? 'all that is left is skipped' : 'it goes on with the next step'}`,
  };
}

export const rolloutPromote = defineOperation({
  name: 'rollout-promote',
  summary: 'Let an Argo Rollout go on to its next step, or to its end',
  effect: 'change',
  input: ArgoInput.extend({ full: Full }),
  usage: '<app> in <env> [full=<full>]',
  examples: ['rollout/shop in staging', 'rollout/shop in staging full=yes'],
  routes: workloadRoutes({
    method: 'POST',
    path: '/promote',
    summary: 'Go on to the next step',
    kinds: ['deployments', 'rollouts'],
    more: { full: Full },
  }),
  needs: ['kube'],
  permissions: [...rollPermissions, 'patch rollouts.argoproj.io/status'],
  steps: rollSteps,
  limits: rollLimits,
  target: ({ app, env }) => ({ app, env }),
  plan: (context, { full }) => planPromote(context, full),
  run: drive,
});
