import { Fault, fault, toFault } from '../../../core/errors.ts';
import { at, digestOf, type JsonObject } from '../../../core/json.ts';
import type { Kube, ObjectRef, RolloutEnd } from '../../../core/kube.ts';
import { runAnnotation } from '../../../core/lost-run.ts';
import type { RunContext, StepContext } from '../../../core/operation.ts';
import type { Plan } from '../../../core/plan.ts';
import type { PodTrouble } from '../../../core/report.ts';
import type { RolloutPlan } from '../../../core/rollout.ts';
import { either } from '../../../core/within.ts';
import { abortedBy, type Back, backFrom } from './reasons.ts';

/** The steps of a deploy that shifts traffic. There is a step `weight N` for each share. */
export const shiftSteps = [
  'prepare',
  'smoke',
  'weight',
  'experiment',
  'promote',
  'return',
  'back',
  'remove',
  'watch',
] as const;
/** A canary may be paused over a weekend. */
export const shiftLimitMs = 14 * 24 * 3_600_000;
export const shiftLimits = Object.fromEntries(shiftSteps.map((name) => [name, shiftLimitMs]));
export type ShiftRun = RunContext<'kube' | 'metrics' | 'hooks', (typeof shiftSteps)[number]>;

/** A run with what it is about. */
export type Kit = {
  run: ShiftRun;
  kube: Kube;
  rollout: RolloutPlan;
  stable: ObjectRef;
  canary: ObjectRef;
  baseline?: ObjectRef;
};

export function kitOf(run: ShiftRun): Kit {
  const { rollout } = run.plan;
  if (!rollout) throw fault('INTERNAL', { problem: 'a plan that shifts no traffic', run: run.id });
  const refOf = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: run.place.namespace, name });
  const kube = run.on.kube(run.place.cluster);
  return {
    run,
    kube,
    rollout,
    stable: refOf(rollout.stable),
    canary: refOf(rollout.canary),
    ...(rollout.baseline !== undefined && { baseline: refOf(rollout.baseline) }),
  };
}

/**
 * What stands beside stable for a while, in the order in which it comes: what the plan applies besides. What it creates is what the
 * environment itself lacked, and stays.
 */
export const besideIn = ({ writes = [] }: Pick<Plan, 'writes'>): JsonObject[] =>
  writes.flatMap((write) => (write.kind === 'apply' ? [write.manifest] : []));

/** Between two looks; short enough that a worker is held, so that a regression is seen at once. */
export const lookMs = 2_000;

export type Tried = { kind: 'done' } | { kind: 'steered' } | { kind: 'failed'; detail: string; trouble?: PodTrouble };

/**
 * Tries until it is done, somebody says something, or it is past the deadline: what may pass is tried again. An unexpected
 * error counts as a failure too: whatever goes wrong, the way back is taken.
 */
export async function tryUntil(
  { run }: Pick<Kit, 'run'>,
  step: StepContext,
  { deadline, heard }: { deadline: number; heard: number },
  act: (signal: AbortSignal) => Promise<Tried>,
): Promise<Tried> {
  const said = step.steeredPast(heard);
  const signal = either(step.signal, said);
  for (;;) {
    try {
      return await act(signal);
    } catch (thrown) {
      step.signal.throwIfAborted();
      if (said.aborted) return { kind: 'steered' };
      const problem = toFault(thrown, 'log');
      if (!(thrown instanceof Fault) || problem.retry === 'never' || run.now() >= deadline)
        return { kind: 'failed', detail: problem.message };
      step.note(`${problem.message} Trying again.`);
      await step.rest(2_000, heard);
    }
  }
}

/** Until when a step may wait for pods. */
export const deadlineOf = ({ run }: Pick<Kit, 'run'>, { startedAt }: StepContext): number =>
  startedAt + run.place.rolloutTimeoutSeconds * 1_000;

export type Done = { kind: 'done' } | { kind: 'back'; back: Back; heard: number };

/** Tries until it is done, can't be done, or somebody wants it back; whatever else is said is for those who come after. */
export async function unlessAborted(
  kit: Pick<Kit, 'run'>,
  step: StepContext,
  heard: number,
  act: (signal: AbortSignal) => Promise<Tried>,
): Promise<Done> {
  const deadline = deadlineOf(kit, step);
  for (;;) {
    const said = await step.steers();
    const aborted = abortedBy(said.filter(({ n }) => n > heard));
    if (aborted) return { kind: 'back', back: aborted, heard: said.length };
    const tried = await tryUntil(kit, step, { deadline, heard: said.length }, act);
    if (tried.kind === 'done') return tried;
    if (tried.kind === 'failed') return { kind: 'back', back: backFrom(tried), heard: said.length };
  }
}

/** How following a Deployment ended, where that was not well. */
export function failureOf(end: RolloutEnd): Extract<Tried, { kind: 'failed' }> | undefined {
  switch (end.kind) {
    case 'complete':
      return undefined;
    case 'failed':
      return { kind: 'failed', detail: 'its pods don’t stay up', trouble: end.trouble };
    case 'timed-out':
      return { kind: 'failed', detail: 'its pods were not ready in time', trouble: end.trouble };
    case 'superseded':
    case 'paused':
      return { kind: 'failed', detail: 'somebody else changed it meanwhile' };
    default:
      return end satisfies never;
  }
}

/** How many pods a Deployment should have. */
export const sizeOf = (deployment: JsonObject | undefined): number => Number(at(deployment, 'spec', 'replicas') ?? 1);

/** What a Deployment's pods are made of: another digest is another version. */
export const templateOf = (deployment: JsonObject | undefined): string =>
  digestOf(at(deployment, 'spec', 'template') ?? {});

/** Gives a Deployment so many pods, which will be ready in a while. */
export async function resize(
  { run, kube }: Pick<Kit, 'run' | 'kube'>,
  ref: ObjectRef,
  replicas: number,
  signal: AbortSignal,
): Promise<void> {
  const annotations = { [runAnnotation]: run.id };
  await kube.merge(ref, { metadata: { annotations }, spec: { replicas } }, {}, signal);
}

/** Gives a Deployment so many pods and waits until they are ready. */
export async function scaleTo(
  kit: Pick<Kit, 'run' | 'kube'>,
  ref: ObjectRef,
  replicas: number,
  step: StepContext,
  signal: AbortSignal,
): Promise<Tried> {
  await resize(kit, ref, replicas, signal);
  return await settled(kit, ref, step, signal);
}

/** Waits until a Deployment is as it should be. */
export async function settled(
  { run, kube }: Pick<Kit, 'run' | 'kube'>,
  ref: ObjectRef,
  step: StepContext,
  signal: AbortSignal,
): Promise<Tried> {
  const seen = (count: { replicas: number; ready: number }) =>
    step.note(`${count.ready} of ${count.replicas} pods of ${ref.name} ready`);
  const end = await kube.follow(ref, { run: run.id, deadline: deadlineOf({ run }, step), seen }, signal);
  return failureOf(end) ?? { kind: 'done' };
}
