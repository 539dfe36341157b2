import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { kindCalled } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName, type Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { type Found, workloadOf } from './find.ts';

/** A CronJob by its name, or as `cronjob/report`. */
export const CronName = z
  .string()
  .transform((text, context) => {
    const [word = '', name, ...rest] = text.split('/');
    if (name === undefined) return word;
    if (rest.length === 0 && kindCalled(word)?.kind === 'CronJob') return name;
    context.addIssue({ code: 'custom', message: 'must be the name of a CronJob' });
    return z.NEVER;
  })
  .pipe(ObjectName)
  .describe('The CronJob')
  .meta({ examples: ['report'] });

/** A CronJob is a workload like any other for locks, lines and the policy. */
export const cronTarget = ({ name, env }: { name: string; env: string }) => ({ app: `cronjob/${name}`, env });

/** @throws Fault NO_SUCH_OBJECT, with the nearest name */
export async function cronOf(kube: Kube, place: Place, signal: AbortSignal): Promise<Found> {
  if (place.kind !== 'CronJob') throw fault('BAD_INPUT', { problem: `${place.app} is no CronJob.` });
  return await workloadOf(kube, place, signal);
}

const scheduleOf = (cron: JsonObject) => String(at(cron, 'spec', 'schedule') ?? '');

async function planSuspend({ on, place, signal }: PlanContext<'kube'>, suspend: boolean): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const { ref, live } = await cronOf(kube, place, signal);
  const planned = await planWrites(kube, [{ kind: 'merge', ref, patch: { spec: { suspend } } }], signal);
  const same = (at(live, 'spec', 'suspend') === true) === suspend;
  const { workload, env } = place;
  return {
    ...planned,
    ...(same && { changes: [], writes: [] }),
    summary: suspend
      ? `${workload} does not start any more (it was “${scheduleOf(live)}”); what runs goes on`
      : `${workload} starts again at “${scheduleOf(live)}”`,
    undo: { operation: suspend ? 'cron-resume' : 'cron-suspend', input: { name: workload, env } },
  };
}

const Input = z.strictObject({ name: CronName, env: EnvRef });

/** `/cronjobs/:namespace/:name/WORD`, which asks for nothing else. */
export const cronRoute = (word: string, summary: string) =>
  route({
    method: 'POST',
    path: `/cronjobs/:namespace/:name/${word}`,
    summary,
    request: z.object({ namespace: EnvRef, name: ObjectName }),
    input: ({ namespace, name }) => ({ name, env: namespace }),
  });

export const cronSuspend = defineOperation({
  name: 'cron-suspend',
  summary: 'Keep a CronJob from starting',
  effect: 'change',
  input: Input,
  usage: '<name> in <env>',
  examples: ['report in staging'],
  routes: [cronRoute('suspend', 'Keep a CronJob from starting')],
  needs: ['kube'],
  permissions: ['get,list,patch cronjobs.batch'],
  steps: writeSteps,
  target: cronTarget,
  plan: (context) => planSuspend(context, true),
  run: (run) => runWrites(run),
});

export const cronResume = defineOperation({
  name: 'cron-resume',
  summary: 'Let a suspended CronJob start again',
  effect: 'change',
  input: Input,
  usage: '<name> in <env>',
  examples: ['nightly in staging'],
  routes: [cronRoute('resume', 'Let a suspended CronJob start again')],
  needs: ['kube'],
  permissions: ['get,list,patch cronjobs.batch'],
  steps: writeSteps,
  target: cronTarget,
  plan: (context) => planSuspend(context, false),
  run: (run) => runWrites(run),
});
