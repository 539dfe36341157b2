import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import type { ObjectRef, Revision, Selection, Workload } from '../../core/kube.ts';
import {
  countOf,
  hasReplicaSets,
  isOwnedBy,
  newestReplicaSet,
  number,
  type Observed,
  revisionOf,
  templateOfSet,
} from '../../core/observed.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { troubleOf } from './follow.ts';
import { collectionPath, kindNamed, kindOf, objectPath } from './resources.ts';
import type { Watches } from './shared-watch.ts';
import { findTrouble } from './verdict.ts';
import { listAll } from './watch.ts';

/** One object, asked for now. */
export async function readObject(
  connection: Connection,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const kind = await kindOf(connection, ref, signal);
  try {
    return await connection.call({ method: 'GET', path: objectPath(kind, ref), signal });
  } catch (thrown) {
    if (thrown instanceof RefusedCall && thrown.refusal.status === 404) return undefined;
    throw thrown;
  }
}

/** All pages of a list. */
export async function listObjects(
  connection: Connection,
  { labels, fields, ...selection }: Selection,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const kind = await kindOf(connection, selection, signal);
  const query = {
    ...(labels !== undefined && { labelSelector: labels }),
    ...(fields !== undefined && { fieldSelector: fields }),
  };
  const whole = { apiVersion: kind.apiVersion, kind: kind.kind };
  const kept = { path: collectionPath(kind, selection.namespace), query, whole };
  try {
    return (await listAll(connection, kept, signal)).items;
  } catch (thrown) {
    // Even in a namespace that isn't there a list is empty: only a kind that isn't there is not found.
    if (thrown instanceof RefusedCall && thrown.refusal.status === 404)
      throw fault('UNKNOWN_KIND', { cluster: connection.cluster, ...whole });
    throw thrown;
  }
}

/** A workload as it is now, with its trouble. ReplicaSets and pods come from the watch that all share. */
export async function readWorkload(
  connection: Connection,
  watches: Watches,
  ref: ObjectRef,
  signal: AbortSignal,
  seen?: JsonObject,
): Promise<Workload | undefined> {
  const [workload, pods, replicaSets] = await Promise.all([
    seen ?? readObject(connection, ref, signal),
    watches.look('Pod', ref.namespace, signal),
    hasReplicaSets(ref.kind) ? watches.look('ReplicaSet', ref.namespace, signal) : undefined,
  ]);
  if (!workload) return undefined;
  const observed: Observed = { workload, pods: pods.objects, replicaSets: replicaSets?.objects ?? [] };
  // A Rollout may have its template elsewhere; that of its newest pods stands here.
  const template =
    at(workload, 'spec', 'template') ??
    at(workload, 'spec', 'jobTemplate', 'spec', 'template') ??
    at(newestReplicaSet(observed), 'spec', 'template');
  const image = at(template, 'spec', 'containers', 0, 'image');
  const finding = findTrouble(observed, Date.now());
  return {
    ...countOf(workload),
    object: workload,
    ...(typeof image === 'string' && { image }),
    ...(finding && { trouble: await troubleOf(connection, ref.namespace, finding, signal) }),
  };
}

const createdAt = (object: JsonObject): string => text(at(object, 'metadata', 'creationTimestamp'));

function ofReplicaSets(workload: JsonObject, replicaSets: JsonObject[]): Revision[] {
  const newest = newestReplicaSet({ workload, replicaSets, pods: [] });
  return replicaSets
    .filter((set) => isOwnedBy(workload, set))
    .map((set) => ({
      revision: revisionOf(set),
      template: templateOfSet(set),
      at: createdAt(set),
      current: set === newest,
    }));
}

/** StatefulSets and DaemonSets keep theirs in ControllerRevisions, as patches that replace the template. */
function ofControllerRevisions(workload: JsonObject, all: JsonObject[]): Revision[] {
  const own = all.filter((object) => isOwnedBy(workload, object));
  const current = at(workload, 'status', 'updateRevision');
  const highest = Math.max(...own.map(({ revision }) => number(revision)));
  const isCurrent = (object: JsonObject) =>
    typeof current === 'string' ? text(at(object, 'metadata', 'name')) === current : object.revision === highest;
  return own.flatMap((object) => {
    const template = at(object, 'data', 'spec', 'template');
    if (!isObject(template)) return [];
    const { $patch: _, ...plain } = template;
    const current = isCurrent(object);
    return [{ revision: number(object.revision), template: plain, at: createdAt(object), current }];
  });
}

/** All pod templates of a workload that are still known, newest first. */
export async function readRevisions(connection: Connection, ref: ObjectRef, signal: AbortSignal): Promise<Revision[]> {
  const workload = await readObject(connection, ref, signal);
  if (!workload) return [];
  const { namespace } = ref;
  const from = async (name: 'ReplicaSet' | 'ControllerRevision') =>
    await listObjects(connection, { ...kindNamed(name), namespace }, signal);
  const found = hasReplicaSets(ref.kind)
    ? ofReplicaSets(workload, await from('ReplicaSet'))
    : ofControllerRevisions(workload, await from('ControllerRevision'));
  return found.sort((a, b) => b.revision - a.revision);
}

/** See `Kube.clockAheadMs`: the header tells whole seconds, and was made about half way through the call. */
export async function clockAheadMs(connection: Connection, signal: AbortSignal): Promise<number | undefined> {
  const began = Date.now();
  const said = Date.parse((await connection.date({ method: 'GET', path: '/version', signal })) ?? '');
  return Number.isNaN(said) ? undefined : Math.round((began + Date.now()) / 2 - (said + 500));
}
