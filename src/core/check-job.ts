import { z } from 'zod';
import { containerStates, symptomOf, unschedulable } from './containers.ts';
import type { JsonObject } from './json.ts';
import { condition } from './observed.ts';
import { Duration } from './values.ts';

/** A Job in the cluster that says by its exit code whether a version is good. */

/** The fields of what is run, for schemas that have more. */
export const jobFields = {
  /** What is run: an image, or what a CronJob of the namespace runs (it may be suspended). */
  image: z.string().min(1).max(512).optional(),
  cronJob: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,50}[a-z0-9])?$/, 'must be the name of a CronJob')
    .optional(),
  /** Of its first container. Kubernetes fills in `$(CANARY_ADDRESS)` and the like. */
  command: z.array(z.string().max(4_000)).min(1).max(50).optional(),
  args: z.array(z.string().max(4_000)).min(1).max(50).optional(),
  env: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of a variable'), z.string()).default({}),
  /** How long it may take; then nothing is known. */
  limit: Duration.default(300_000),
};

/** Whether exactly one of the two says what is run. */
export const runsOne = ({ image, cronJob }: { image?: string | undefined; cronJob?: string | undefined }): boolean =>
  (image === undefined) !== (cronJob === undefined);

export const CheckJob = z.strictObject(jobFields).refine(runsOne, 'takes an image or a cronJob');
export type CheckJob = z.output<typeof CheckJob>;

/** `why` completes “its Job …”. */
export type JobOutcome =
  | { kind: 'running' }
  | { kind: 'passed' }
  | { kind: 'failed' }
  | { kind: 'unknown'; why: string };

/** What keeps a pod from saying anything. */
function heldUp(pod: JsonObject): string | undefined {
  const room = unschedulable(pod);
  if (room !== undefined) return `has no node to run on (${room})`;
  const stuck = containerStates(pod).find((state) => state.waiting !== '' && symptomOf(state) !== undefined);
  return stuck && stuck.waiting !== 'CrashLoopBackOff' ? `can’t start (${stuck.message || stuck.waiting})` : undefined;
}

/** It ended by itself, badly: not because its node was taken away. */
const saidNo = (pod: JsonObject): boolean =>
  condition(pod, 'DisruptionTarget')?.status !== 'True' &&
  containerStates(pod).some(({ exit }) => exit !== undefined && exit.code !== 0);

/** What a Job says by how it and its pods stand. Only a program that ended says yes or no; all else is “don’t know”. */
export function jobOutcome(job: JsonObject, pods: readonly JsonObject[]): JobOutcome {
  if (condition(job, 'Complete')?.status === 'True') return { kind: 'passed' };
  const failed = condition(job, 'Failed');
  if (failed?.status === 'True') {
    if (failed.reason === 'DeadlineExceeded') return { kind: 'unknown', why: 'was not done in time' };
    return pods.some(saidNo) ? { kind: 'failed' } : { kind: 'unknown', why: 'ended before it said anything' };
  }
  const why = pods.map(heldUp).find((each) => each !== undefined);
  return why === undefined ? { kind: 'running' } : { kind: 'unknown', why };
}
