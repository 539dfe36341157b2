import { z } from 'zod';
import { fault } from '../../../core/errors.ts';
import { placeKey } from '../../../core/lock.ts';
import { defineOperation, type PlanContext, type RunContext, route } from '../../../core/operation.ts';
import { AppRef, EnvRef } from '../../../core/place.ts';
import type { Draft } from '../../../core/plan.ts';
import type { Report } from '../../../core/report.ts';
import { Weight } from '../../../core/rollout.ts';
import { isOver, type Run } from '../../../core/run.ts';
import { type SteerWish, steerText } from '../../../core/steer.ts';
import { Switch } from '../../../core/values.ts';

const Input = z.strictObject({ app: AppRef, env: EnvRef });

/** The deploy that shifts traffic here now. */
export async function underWay({ on, place }: PlanContext<'order' | 'runs'>): Promise<Run | undefined> {
  const { holder } = await on.order.line(placeKey(place));
  const run = holder === undefined ? undefined : await on.runs.read(holder);
  return run?.plan?.rollout && !isOver(run.state) ? run : undefined;
}

async function runHere(context: PlanContext<'order' | 'runs'>): Promise<Run> {
  const run = await underWay(context);
  if (run) return run;
  const { app, env } = context.place;
  throw fault('NO_CANARY', { app, env });
}

async function planSteer(context: PlanContext<'order' | 'runs'>, wish: SteerWish): Promise<Draft> {
  const run = await runHere(context);
  const summary = `${steerText(wish)} · run ${run.id}: ${run.plan?.summary ?? ''}`;
  return { summary, changes: [], takesOver: [] };
}

async function doSteer(run: RunContext<'order' | 'runs', 'steer'>, wish: SteerWish): Promise<Report> {
  const told = await run.step('steer', async ({ startedAt }) => {
    const canary = await underWay(run);
    // It ended meanwhile: there is nothing left to say it to.
    if (!canary) return 'over';
    const done = await run.on.runs.steer(canary, { at: startedAt, actor: run.actor, wish }, steerText(wish), run.id);
    return done === 'over' || done === 'unknown' ? 'over' : canary.id;
  });
  const { app, env } = run.place;
  if (told === 'over') throw fault('NO_CANARY', { app, env });
  return { kind: 'steered', run: told, said: steerText(wish) };
}

const routeOf = (verb: string, more: z.ZodRawShape = {}) =>
  route({
    method: 'POST',
    path: `/deployments/:namespace/:name/canary/${verb}`,
    summary: `Tell the canary: ${verb}`,
    request: z.object({ namespace: EnvRef, name: AppRef, ...more }),
    input: ({ namespace, name, ...rest }) => ({ ...rest, app: name, env: namespace }),
  });

/** What all words to a canary have in common. Two of a kind are one: it is paused, aborted, promoted once. */
const shared = {
  effect: 'change',
  needs: ['order', 'runs'],
  steps: ['steer'],
  aside: true,
  target: ({ app, env }: { app: string; env: string }) => ({ app, env }),
} as const;

const Full = Switch.default(false).describe('Through all shares that are left');

export const canaryPromote = defineOperation({
  ...shared,
  name: 'canary-promote',
  command: '/canary promote',
  summary: 'Let a canary go on to its next share, or with full=yes to the end',
  input: Input.extend({ full: Full }),
  usage: '<app> in <env> [full=<full>]',
  examples: ['web in production', 'web in production full=yes'],
  routes: [routeOf('promote', { full: Full })],
  plan: (context, { full }) => planSteer(context, { kind: 'promote', full }),
  run: (run, { full }) => doSteer(run, { kind: 'promote', full }),
});

export const canaryPause = defineOperation({
  ...shared,
  name: 'canary-pause',
  command: '/canary pause',
  summary: 'Hold a canary at the share that it has',
  input: Input,
  usage: '<app> in <env>',
  examples: ['web in production'],
  routes: [routeOf('pause')],
  plan: (context) => planSteer(context, { kind: 'pause' }),
  run: (run) => doSteer(run, { kind: 'pause' }),
});

export const canaryResume = defineOperation({
  ...shared,
  name: 'canary-resume',
  command: '/canary resume',
  summary: 'Let a canary that is held go on',
  input: Input,
  usage: '<app> in <env>',
  examples: ['web in production'],
  routes: [routeOf('resume')],
  plan: (context) => planSteer(context, { kind: 'resume' }),
  run: (run) => doSteer(run, { kind: 'resume' }),
});

const Reason = z.string().max(300, 'must be at most 300 characters').optional().describe('Why');

export const canaryAbort = defineOperation({
  ...shared,
  name: 'canary-abort',
  command: '/canary abort',
  summary: 'Send all traffic back to stable, at once',
  input: Input.extend({ reason: Reason }),
  usage: '<app> in <env> [reason=<reason>]',
  examples: ['web in production', 'web in production reason="checkout is slow"'],
  routes: [routeOf('abort', { reason: Reason })],
  plan: (context, { reason }) => planSteer(context, { kind: 'abort', ...(reason && { reason }) }),
  run: (run, { reason }) => doSteer(run, { kind: 'abort', ...(reason && { reason }) }),
});

export const canaryWeight = defineOperation({
  ...shared,
  name: 'canary-weight',
  command: '/canary weight',
  summary: 'Give a canary another share of the traffic',
  input: Input.extend({ weight: Weight }),
  usage: '<weight> <app> in <env>',
  examples: ['30% web in production'],
  routes: [routeOf('weight', { weight: Weight })],
  plan: (context, { weight }) => planSteer(context, { kind: 'weight', weight }),
  run: (run, { weight }) => doSteer(run, { kind: 'weight', weight }),
});
