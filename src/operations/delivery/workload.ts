import { fault } from '../../core/errors.ts';
import { type Homes, isImageOfApp } from '../../core/image.ts';
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { overlay, ownedBy } from '../../core/ownership.ts';
import type { Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Found } from '../workloads/find.ts';

/** The workload of an app in an environment. */
export function workloadRef({ kind, namespace, workload }: Place): ObjectRef {
  return { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace, name: workload };
}

/** The containers of a Deployment's (or a pod template's owner's) pods. */
export function containersOf(deployment: JsonObject): JsonObject[] {
  const list = at(deployment, 'spec', 'template', 'spec', 'containers');
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/**
 * The app's own container: the one that settings name, or the only one there is.
 * @throws Fault BAD_INPUT where several stand to choose from
 */
export function containerOf(place: Place, live: JsonObject | undefined): string {
  const names = live ? containersOf(live).map(({ name }) => String(name)) : [];
  const [only] = names;
  if (only === undefined || names.includes(place.container)) return place.container;
  if (names.length === 1) return only;
  const problem = `the pods of ${place.app} have the containers ${names.join(', ')}, and none is called ${place.container}; set apps.${place.app}.container in shipmate.yaml.`;
  throw fault('BAD_INPUT', { problem });
}

/** Everything Shipmate owns of the live object, with `change` over it: what must be applied so that nothing is lost. */
export function withChange(live: JsonObject, change: JsonObject): JsonObject {
  const merged = overlay(ownedBy('shipmate', live), change);
  return isObject(merged) ? merged : change;
}

/** A change of the app's one container. */
export function containerChange(container: string, fields: Record<string, Json | undefined>): JsonObject {
  const present: JsonObject = { name: container };
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) present[key] = value;
  return { spec: { template: { spec: { containers: [present] } } } };
}

/** The same change with a replica count, where one was asked for. */
export function overlayReplicas(change: JsonObject, replicas: number | undefined): JsonObject {
  const spec = isObject(change.spec) ? change.spec : {};
  return replicas === undefined ? change : { ...change, spec: { ...spec, replicas } };
}

type WayBack = Pick<Draft, 'undo'>;

/** The revision that a workload is at, where it is kept once another has come. */
async function revisionNow(kube: Kube, { ref, live }: Found, signal: AbortSignal): Promise<number | undefined> {
  if (at(live, 'spec', 'revisionHistoryLimit') === 0) return undefined;
  return (await kube.allRevisions(ref, signal)).find(({ current }) => current)?.revision;
}

/**
 * The way back of what changes the image of an app: a deploy of the one that runs, or, where that comes from elsewhere and no
 * deploy would take it, the revision that it runs as. None where that would lead nowhere.
 */
export async function undoOfImage(
  kube: Kube,
  { app, env }: Place,
  { homes, found, image }: { homes: Homes; found: Found; image: string },
  signal: AbortSignal,
): Promise<WayBack> {
  if (isImageOfApp(homes, image)) return { undo: { operation: 'deploy', input: { app, env, image } } };
  const revision = await revisionNow(kube, found, signal);
  return revision === undefined ? {} : { undo: { operation: 'rollback', input: { app, env, revision } } };
}
