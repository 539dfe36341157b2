import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, digestOf, type Json, type JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import type { PlanContext, RunContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft, Write } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { type rollSteps, settle } from '../delivery/roll.ts';
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

const guardOf = ({ live }: Pick<Found, 'live'>): JsonObject =>
  Object.fromEntries(guarded.map((field) => [field, at(live, 'status', field) ?? null]));

export function draftOf(
  found: Found,
  status: JsonObject,
  spec: JsonObject | undefined,
): Pick<Draft, 'changes' | 'takesOver' | 'manifest' | 'writes'> {
  const { ref, live } = found;
  const { apiVersion, kind, name, namespace } = ref;
  const lines = (part: 'status' | 'spec', fields: JsonObject) =>
    Object.entries(fields).map(([field, to]: [string, Json]) => {
      const from = at(live, part, field);
      return {
        path: `${nameOf(ref)} ${part}.${field}`,
        ...(from !== undefined && { from }),
        ...(to !== null && { to }),
      };
    });
  // The first write also marks whose it is; a status has no annotations.
  const writes: Write[] = [{ kind: 'merge', ref, patch: spec ? { spec } : {}, answer: '' }];
  if (Object.keys(status).length > 0)
    writes.push({ kind: 'merge', ref, patch: { status }, subresource: 'status', answer: '' });
  return {
    changes: [...lines('spec', spec ?? {}), ...lines('status', status)],
    takesOver: [],
    manifest: { apiVersion, kind, metadata: { name, namespace }, status: guardOf(found) },
    writes,
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
