import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { KindName } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import type { Found } from './find.ts';

const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const uidOf = (object: JsonObject) => at(object, 'metadata', 'uid');

/** Those of the objects whose owner is one of these. */
function ownedByAny(owners: readonly JsonObject[], objects: readonly JsonObject[]): JsonObject[] {
  const uids = new Set(owners.map(uidOf));
  return objects.filter((object) => listOf(at(object, 'metadata', 'ownerReferences')).some(({ uid }) => uids.has(uid)));
}

/** What stands between a workload and its pods. */
const between: Partial<Record<string, KindName>> = { Deployment: 'ReplicaSet', Rollout: 'ReplicaSet', CronJob: 'Job' };

/** All pods of a workload, those of earlier templates too. */
export async function podsOf(kube: Kube, { ref, live }: Found, signal: AbortSignal): Promise<JsonObject[]> {
  const { namespace, kind } = ref;
  const middle = between[kind];
  const [pods, owners] = await Promise.all([
    kube.look('Pod', namespace, signal),
    middle && kube.look(middle, namespace, signal),
  ]);
  return ownedByAny(owners ? ownedByAny([live], owners.objects) : [live], pods.objects);
}

/** What a pod is up to, as kubectl's column STATUS says it. */
export function podState(pod: JsonObject): string {
  if (at(pod, 'metadata', 'deletionTimestamp') !== undefined) return 'Terminating';
  const statuses = [at(pod, 'status', 'initContainerStatuses'), at(pod, 'status', 'containerStatuses')].flatMap(listOf);
  const waiting = statuses.map((status) => at(status, 'state', 'waiting', 'reason')).find((reason) => reason);
  const unscheduled = listOf(at(pod, 'status', 'conditions')).find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  return String(waiting ?? unscheduled?.reason ?? at(pod, 'status', 'phase') ?? 'Unknown');
}

/** A pod as a line of a table: name, state, ready, restarts, images. */
export function podRow(pod: JsonObject): string[] {
  const statuses = listOf(at(pod, 'status', 'containerStatuses'));
  const restarts = statuses.reduce((sum, { restartCount }) => sum + Number(restartCount ?? 0), 0);
  const ready = `${statuses.filter(({ ready }) => ready === true).length}/${listOf(at(pod, 'spec', 'containers')).length}`;
  return [String(at(pod, 'metadata', 'name')), podState(pod), ready, String(restarts)];
}
