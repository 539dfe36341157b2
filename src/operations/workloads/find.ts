import { Fault, fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { knownKind, type WorkloadKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import type { Place } from '../../core/place.ts';

type Live = { ref: ObjectRef; live: JsonObject };

/** A workload as it is in the cluster, with its address; and the Deployment, where an Argo Rollout has its pods' template from one. */
export type Found = Live & { template?: Live };

/** How a cluster says that it has no such kind, or none for Shipmate. */
const absent = new Set(['UNKNOWN_KIND', 'CLUSTER_FORBIDDEN', 'CLUSTER_REFUSED']);

const refAs = (kind: WorkloadKind, { namespace, workload }: Pick<Place, 'namespace' | 'workload'>): ObjectRef => ({
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

/**
 * A Rollout with the Deployment that its pods are made after, where it has one.
 * https://argo-rollouts.readthedocs.io/en/stable/migrating/#reference-deployment-from-rollout
 */
async function withTemplate(kube: Kube, found: Live, signal: AbortSignal): Promise<Found> {
  const to = at(found.live, 'spec', 'workloadRef');
  if (!isObject(to)) return found;
  const ref = { ...found.ref, apiVersion: text(to.apiVersion), kind: text(to.kind), name: text(to.name) };
  const live = ref.kind === 'Deployment' ? await kube.read(ref, signal) : undefined;
  return live ? { ...found, template: { ref, live } } : found;
}

/** The Rollout that runs an app's pods after its Deployment's template: that one has none itself then. */
async function rolloutAfter(kube: Kube, { ref, live }: Live, signal: AbortSignal): Promise<Found | undefined> {
  const { apiVersion, kind } = refAs('Rollout', { ...ref, workload: ref.name });
  const rollouts = await kube.list({ apiVersion, kind, namespace: ref.namespace }, signal).catch((thrown: unknown) => {
    if (thrown instanceof Fault && absent.has(thrown.code)) return [];
    throw thrown;
  });
  const found = rollouts.find((rollout) => {
    const to = at(rollout, 'spec', 'workloadRef');
    return at(to, 'kind') === ref.kind && at(to, 'name') === ref.name;
  });
  const name = text(at(found, 'metadata', 'name'));
  return found && { ref: { ...ref, apiVersion, kind, name }, live: found, template: { ref, live } };
}

/** What runs an app or workload: the object of its kind, or the Argo Rollout that stands where a Deployment would. */
export async function findWorkload(kube: Kube, place: Place, signal: AbortSignal): Promise<Found | undefined> {
  const ref = refAs(place.kind, place);
  const live = await kube.read(ref, signal);
  if (live && ref.kind === 'Rollout') return await withTemplate(kube, { ref, live }, signal);
  // A kind that somebody named is the one that is meant.
  const idle = ref.kind === 'Deployment' && at(live, 'spec', 'replicas') === 0 && !place.app.includes('/');
  if (live) return (idle && (await rolloutAfter(kube, { ref, live }, signal))) || { ref, live };
  if (place.kind !== 'Deployment') return undefined;
  const instead = refAs('Rollout', place);
  const rollout = await readRollout(kube, instead, signal);
  return rollout && (await withTemplate(kube, { ref: instead, live: rollout }, signal));
}

/**
 * Where the template of its pods stands. @throws Fault NOT_FOR_KIND where that cannot be changed for a rollout
 */
export function templateOf({ ref, live, template }: Found): Live {
  const elsewhere = template === undefined && at(live, 'spec', 'workloadRef');
  if (!isObject(elsewhere)) return template ?? { ref, live };
  const why = `its pods are made after ${text(elsewhere.kind)}/${text(elsewhere.name)}, which is no Deployment, or is not there`;
  throw fault('NOT_FOR_KIND', {
    operation: 'deploy',
    what: `${ref.kind}/${ref.name}`,
    why,
    instead: 'Correct its workloadRef.',
  });
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
