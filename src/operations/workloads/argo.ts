import { z } from 'zod';
import { differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { at, digestOf, isObject, type JsonObject } from '../../core/json.ts';
import { type Kube, refOf } from '../../core/kube.ts';
import type { PlanContext, RunContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Change, Draft, Write } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { type rollSteps, settle } from '../delivery/roll.ts';
import { foresee } from '../kubernetes/foresee.ts';
import { doWrites, nameOf } from '../kubernetes/writes.ts';
import { type Found, refuseKind, workloadOf } from './find.ts';

/**
 * An Argo Rollout goes its own way; people drive it through the fields that Argo's own tool writes.
 * https://github.com/argoproj/argo-rollouts/tree/v1.9.0/pkg/kubectl-argo-rollouts/cmd
 */

export const ArgoInput = z.strictObject({ app: WorkloadRef, env: EnvRef });

export async function rolloutOf({ on, place, signal }: PlanContext<'kube'>, operation: string): Promise<Found> {
  const found = await workloadOf(on.kube(place.cluster), place, signal);
  const why = 'only an Argo Rollout has steps of its own';
  const instead = `See how it goes: /ship rollout status ${place.app} in ${place.env}`;
  const no = { why, instead };
  refuseKind(operation, found, { Deployment: no, StatefulSet: no, DaemonSet: no, Job: no, CronJob: no });
  return found;
}

export const isUnderWay = ({ live }: Found) => at(live, 'status', 'stableRS') !== at(live, 'status', 'currentPodHash');

/** What the status must still be for the plan to hold. Once it was written it differs, and so a repeated step does nothing. */
const guarded = ['currentPodHash', 'currentStepIndex', 'pauseConditions', 'abort', 'promoteFull'] as const;

type Guard = readonly ('stableRS' | (typeof guarded)[number])[];

/**
 * Of an abort it is only which version goes, and which comes back: a Rollout goes on by itself from step to step, and an
 * approval that each of them voids would come too late.
 */
export const guardOfAbort: Guard = ['currentPodHash', 'stableRS'];

const guardOf = ({ live }: Pick<Found, 'live'>, fields: Guard = guarded): JsonObject =>
  Object.fromEntries(fields.map((field) => [field, at(live, 'status', field) ?? null]));

type Part = 'spec' | 'status';

/** The lines of what is asked for, field by field. */
const linesOf = ({ ref, live }: Found, part: Part, fields: JsonObject): Change[] =>
  Object.entries(fields).map(([field, to]) => {
    const from = at(live, part, field);
    return {
      path: `${nameOf(ref)} ${part}.${field}`,
      ...(from !== undefined && { from }),
      ...(to !== null && { to }),
    };
  });

/** The object with the fields set; null takes one away. */
function withFields(object: JsonObject, part: Part, fields: JsonObject): JsonObject {
  const before = object[part];
  const all = { ...(isObject(before) && before), ...fields };
  return { ...object, [part]: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) };
}

/**
 * One of the two writes, tried: what it sets, what the API server makes of it besides, and its whole answer. Of the status the
 * answer counts only what the write changes: Argo goes on writing the rest.
 */
async function planPart(kube: Kube, found: Found, part: Part, fields: JsonObject, signal: AbortSignal) {
  const { ref, live } = found;
  const patch = Object.keys(fields).length > 0 ? { [part]: fields } : {};
  const about = part === 'status' && { subresource: part };
  const dryRun = async () => ({ after: await kube.merge(ref, patch, { dryRun: true, ...about }, signal) });
  const tried = await foresee(kube, { ref, wanted: patch, seen: live }, dryRun, signal);
  const { before = live, after, answer, lists } = tried;
  const more = differences(withFields(before, part, fields), after, lists);
  const write: Write = { kind: 'merge', ref, patch, ...about, answer };
  return {
    write,
    changes: [
      ...linesOf(found, part, fields),
      ...more.map((change) => ({ ...change, path: `${nameOf(ref)} ${change.path}` })),
    ],
  };
}

export async function draftOf(
  { on, place, signal }: PlanContext<'kube'>,
  found: Found,
  { status, spec = {}, guard }: { status: JsonObject; spec?: JsonObject | undefined; guard?: Guard },
): Promise<Pick<Draft, 'changes' | 'takesOver' | 'manifest' | 'writes'>> {
  const kube = on.kube(place.cluster);
  const { apiVersion, kind, name, namespace } = found.ref;
  // The first write also marks whose it is; a status has no annotations.
  const parts = [
    await planPart(kube, found, 'spec', spec, signal),
    ...(Object.keys(status).length > 0 ? [await planPart(kube, found, 'status', status, signal)] : []),
  ];
  return {
    changes: parts.flatMap(({ changes }) => changes),
    takesOver: [],
    manifest: { apiVersion, kind, metadata: { name, namespace }, status: guardOf(found, guard) },
    writes: parts.map(({ write }) => write),
  };
}

/** Writes what was planned, unless the Rollout has gone on since, and follows it to its end or to its next pause. */
export async function drive(run: RunContext<'kube', (typeof rollSteps)[number]>): Promise<Report> {
  const kube = run.on.kube(run.place.cluster);
  const planned = run.plan.manifest ?? {};
  const ref = refOf(planned);
  await run.step('apply', async (step) => {
    const live = await kube.read(ref, step.signal);
    if (!live) throw fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name });
    if (digestOf(guardOf({ live })) === digestOf(planned.status)) await doWrites(run, kube, step);
    else step.log('it has gone on already; nothing was written');
  });
  return await run.step('settle', (step) => settle(run, ref, step));
}
