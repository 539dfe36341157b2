import { setTimeout as sleep } from 'node:timers/promises';
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import type { Change, Write } from '../../core/plan.ts';
import type { Found } from './find.ts';

/**
 * A StatefulSet that replaces its pods in order waits for a broken pod to get ready before it goes on, also with the
 * template that would mend it: such pods have to be deleted.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */

const hopeless = new Set([
  'CrashLoopBackOff',
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** The kubelet waits at most 5 minutes before it starts again what crashed. */
const crashedMs = 6 * 60_000;

/** Crashed again and again, and not long ago: it may run just now, between two crashes. */
function isCrashing(status: JsonObject, now: number): boolean {
  const last = at(status, 'lastState', 'terminated');
  const lately = now - Date.parse(String(at(last, 'finishedAt'))) < crashedMs;
  return Number(status.restartCount) > 1 && at(last, 'exitCode') !== 0 && lately;
}

/**
 * Broken, or running between two crashes: a pod of a template that is not through yet and has crashed once counts, so that
 * the plan is the same whenever it is made. It would be replaced in any case.
 */
function isBroken(pod: JsonObject, { live }: Pick<Found, 'live'>, now: number): boolean {
  const newest = at(live, 'status', 'updateRevision');
  const underWay = newest !== at(live, 'status', 'currentRevision');
  const isNewest = underWay && at(pod, 'metadata', 'labels', 'controller-revision-hash') === newest;
  const statuses = [at(pod, 'status', 'initContainerStatuses'), at(pod, 'status', 'containerStatuses')].flatMap(listOf);
  return statuses.some((status) => {
    const waits = hopeless.has(String(at(status, 'state', 'waiting', 'reason')));
    const ended = at(status, 'state', 'terminated') !== undefined && status.ready !== true;
    return waits || ended || isCrashing(status, now) || (isNewest && Number(status.restartCount) > 0);
  });
}

/** The broken pods that a new template could not replace, as part of a plan. */
export async function unstick(
  kube: Kube,
  { ref, live }: Found,
  now: number,
  signal: AbortSignal,
): Promise<{ writes?: Write[]; changes: Change[] }> {
  const inOrder = at(live, 'spec', 'podManagementPolicy') !== 'Parallel';
  if (ref.kind !== 'StatefulSet' || !inOrder) return { changes: [] };
  const { objects } = await kube.look('Pod', ref.namespace, signal);
  const uid = at(live, 'metadata', 'uid');
  const broken = objects
    .filter((pod) => listOf(at(pod, 'metadata', 'ownerReferences')).some((owner) => owner.uid === uid))
    .filter((pod) => isBroken(pod, { live }, now))
    .map((pod) => ({ name: String(at(pod, 'metadata', 'name')), uid: String(at(pod, 'metadata', 'uid')) }));
  if (broken.length === 0) return { changes: [] };
  return {
    writes: broken.map(({ name, uid }) => ({
      kind: 'remove',
      ref: { apiVersion: 'v1', kind: 'Pod', namespace: ref.namespace, name },
      uid,
    })),
    changes: broken.map(({ name }) => ({ path: `Pod/${name}`, from: 'broken', to: 'made anew' })),
  };
}

const noticeMs = { most: 5_000, again: 100 };

/** Waits until the controller knows the new template: a pod deleted before might come again with the old one. */
export async function untilNoticed(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  for (const end = Date.now() + noticeMs.most; Date.now() < end; ) {
    const live = await kube.read(ref, signal);
    const seen = Number(at(live, 'status', 'observedGeneration') ?? 0);
    if (seen >= Number(at(live, 'metadata', 'generation') ?? 0)) return;
    await sleep(noticeMs.again, undefined, { signal });
  }
}
