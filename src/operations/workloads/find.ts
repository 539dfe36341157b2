import { Fault, fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { knownKind, type WorkloadKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import type { Place } from '../../core/place.ts';

/** A workload as it is in the cluster, with its address. */
export type Found = { ref: ObjectRef; live: JsonObject };

const refAs = (kind: WorkloadKind, { namespace, workload }: Place): ObjectRef => ({
  apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1',
  kind,
  namespace,
  name: workload,
});

/** Where Argo Rollouts isn't installed, or is none of Shipmate's business, there is no Rollout. */
async function readRollout(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return await kube.read(ref, signal);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return undefined;
    throw thrown;
  }
}

/** What runs an app or workload: the object of its kind, or the Argo Rollout that stands where a Deployment would. */
export async function findWorkload(kube: Kube, place: Place, signal: AbortSignal): Promise<Found | undefined> {
  const ref = refAs(place.kind, place);
  const live = await kube.read(ref, signal);
  if (live) return { ref, live };
  if (place.kind !== 'Deployment') return undefined;
  const instead = refAs('Rollout', place);
  const rollout = await readRollout(kube, instead, signal);
  return rollout && { ref: instead, live: rollout };
}

/** The workload of a place. @throws Fault NOT_DEPLOYED for an app; NO_SUCH_OBJECT, with the nearest name, for what is none */
export async function workloadOf(kube: Kube, place: Place, signal: AbortSignal): Promise<Found> {
  const found = await findWorkload(kube, place, signal);
  if (found) return found;
  const { app, env, namespace, workload, kind } = place;
  if (!app.includes('/')) throw fault('NOT_DEPLOYED', { app, env, namespace, workload });
  const { apiVersion } = refAs(kind, place);
  const others = await kube.list({ apiVersion, kind, namespace }, signal);
  const near = didYouMean(
    workload,
    others.map((object) => String(at(object, 'metadata', 'name'))),
  );
  throw fault('NO_SUCH_OBJECT', { kind, name: workload, where: namespace, near });
}

/** `web`, or `StatefulSet/db` where it is no app: how people are told of a workload. */
export const calledBy = ({ app, kind, workload }: Place): string => (app.includes('/') ? `${kind}/${workload}` : app);

/** @throws Fault NOT_FOR_KIND where the operation makes no sense for this kind of workload */
export function refuseKind(
  operation: string,
  { ref }: Found,
  reasons: Partial<Record<WorkloadKind, { why: string; instead: string }>>,
): void {
  const reason = Object.entries(reasons).find(([kind]) => kind === ref.kind)?.[1];
  if (reason) throw fault('NOT_FOR_KIND', { operation, what: `${ref.kind}/${ref.name}`, ...reason });
}

/** @throws Fault ROLLOUT_PAUSED: a new template would wait, and nobody would know why */
export function refusePaused({ live, ref }: Found, { app, env }: Place): void {
  if (ref.kind === 'Deployment' && at(live, 'spec', 'paused') === true) throw fault('ROLLOUT_PAUSED', { app, env });
}
