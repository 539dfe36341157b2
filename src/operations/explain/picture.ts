import { Fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { type KindName, knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { isOwnedBy, list, newestReplicaSet, podsOfNewest } from '../../core/observed.ts';
import type { Place } from '../../core/place.ts';
import type { Run } from '../../core/run.ts';

/** An app with all around it that may be the cause of its trouble, as it is at one moment. */
export type Picture = {
  now: number;
  place: Place;
  workload: JsonObject;
  /** The pod template. */
  template: JsonObject;
  replicaSet?: JsonObject;
  /** Whether there is a revision before this one. */
  hasEarlier: boolean;
  /** The Job itself, or the newest of a CronJob. */
  job?: JsonObject;
  /** Those of the newest template, without those on their way out. */
  pods: readonly JsonObject[];
  /** Those on their way out. */
  leaving: readonly JsonObject[];
  /** Warnings about the app's objects, newest first. */
  events: readonly JsonObject[];
  history: readonly Run[];
} & Neighbours;

/** What else is in the namespace. */
export type Neighbours = {
  namespace: JsonObject | undefined;
  allPods: readonly JsonObject[];
  services: readonly JsonObject[];
  slices: readonly JsonObject[];
  quotas: readonly JsonObject[];
  claims: readonly JsonObject[];
  autoscalers: readonly JsonObject[];
  budgets: readonly JsonObject[];
  /** What could not be looked at, and why. */
  unseen: readonly string[];
};

/** All that is read of the cluster, in one go. */
export type Reading = Neighbours & {
  /** Why the workload may not be read. */
  refusal?: Fault;
  workload: JsonObject | undefined;
  replicaSets: readonly JsonObject[];
  jobs: readonly JsonObject[];
  warnings: readonly JsonObject[];
};

/** A part that can't be had (no permission, no such kind) must not hide the rest; a cluster that is away hides all. */
const passable = new Set(['CLUSTER_FORBIDDEN', 'CLUSTER_REFUSED', 'UNKNOWN_KIND']);

/** Reads everything side by side: two objects, five short lists, and the watches that all share. */
export async function read(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<Reading> {
  const { namespace, kind } = ref;
  const unseen: string[] = [];
  const orElse = async <Part, Else>(name: string, asked: Promise<Part>, otherwise: Else): Promise<Part | Else> => {
    try {
      return await asked;
    } catch (thrown) {
      if (!(thrown instanceof Fault) || !passable.has(thrown.code)) throw thrown;
      unseen.push(`${name}: ${thrown.message}`);
      return otherwise;
    }
  };
  const watched = (name: KindName) =>
    orElse(name, kube.look(name, namespace, signal), { objects: [] }).then(({ objects }) => objects);
  const listed = (name: KindName, fields?: string) => {
    const { apiVersion = 'v1' } = knownKind(name) ?? {};
    const asked = kube.list({ apiVersion, kind: name, namespace, ...(fields !== undefined && { fields }) }, signal);
    return orElse<JsonObject[], JsonObject[]>(name, asked, []);
  };
  let refusal: Fault | undefined;
  const itself: ObjectRef = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace };
  const [workload, own, allPods, replicaSets, jobs, services, slices, warnings, quotas, claims, autoscalers, budgets] =
    await Promise.all([
      kube.read(ref, signal).catch((thrown: unknown) => {
        if (!(thrown instanceof Fault) || thrown.code !== 'CLUSTER_FORBIDDEN') throw thrown;
        refusal = thrown;
        return undefined;
      }),
      orElse('Namespace', kube.read(itself, signal), undefined),
      watched('Pod'),
      kind === 'Deployment' ? watched('ReplicaSet') : [],
      kind === 'CronJob' ? watched('Job') : [],
      watched('Service'),
      watched('EndpointSlice'),
      listed('Event', 'type!=Normal'),
      listed('ResourceQuota'),
      listed('PersistentVolumeClaim'),
      listed('HorizontalPodAutoscaler'),
      listed('PodDisruptionBudget'),
    ]);
  const around = { services, slices, quotas, claims, autoscalers, budgets, unseen };
  return { ...(refusal && { refusal }), workload, namespace: own, allPods, replicaSets, jobs, warnings, ...around };
}

const born = (object: JsonObject) => Date.parse(text(at(object, 'metadata', 'creationTimestamp')));

/** When an event was last seen, wherever it keeps that (ms since the epoch). */
export function seenAt(event: JsonObject): number {
  const times = [event.lastTimestamp, at(event, 'series', 'lastObservedTime'), event.eventTime];
  return Math.max(0, ...times.map((time) => Date.parse(text(time))).filter(Number.isFinite));
}

function podsOf(workload: JsonObject, job: JsonObject | undefined, reading: Reading): JsonObject[] {
  const observed = { workload: job ?? workload, replicaSets: reading.replicaSets, pods: reading.allPods };
  return podsOfNewest(observed);
}

function leavingOf(workload: JsonObject, { replicaSets, allPods }: Reading): JsonObject[] {
  const owners = [workload, ...replicaSets.filter((set) => isOwnedBy(workload, set))];
  return allPods.filter(
    (pod) => at(pod, 'metadata', 'deletionTimestamp') !== undefined && owners.some((owner) => isOwnedBy(owner, pod)),
  );
}

/** The claims that the pods of a template name. */
export function claimNames(pods: readonly JsonObject[]): string[] {
  const volumes = pods.flatMap((pod) => list(at(pod, 'spec', 'volumes')));
  return [...new Set(volumes.map((volume) => text(at(volume, 'persistentVolumeClaim', 'claimName'))))].filter(Boolean);
}

/** The picture of the app in what was read. */
export function pictureOf(
  reading: Reading & { workload: JsonObject },
  context: Pick<Picture, 'now' | 'place' | 'history'>,
): Picture {
  const { workload, replicaSets, jobs } = reading;
  const kind = context.place.kind;
  const newestJob = jobs.filter((job) => isOwnedBy(workload, job)).sort((a, b) => born(b) - born(a))[0];
  const job = kind === 'Job' ? workload : newestJob;
  const replicaSet = newestReplicaSet({ workload, replicaSets, pods: [] });
  const pods = podsOf(workload, job, reading);
  const leaving = leavingOf(workload, reading);
  const template = at(workload, 'spec', 'template') ?? at(workload, 'spec', 'jobTemplate', 'spec', 'template');
  const named = new Set(claimNames(pods));
  const claims = reading.claims.filter((claim) => named.has(text(at(claim, 'metadata', 'name'))));
  const objects: (JsonObject | undefined)[] = [workload, replicaSet, job, ...pods, ...leaving, ...claims];
  const own = objects.map((object) => at(object, 'metadata', 'uid'));
  const uids = new Set<Json | undefined>(own.filter((uid) => uid !== undefined));
  return {
    ...reading,
    ...context,
    template: isObject(template) ? template : {},
    ...(replicaSet && { replicaSet }),
    hasEarlier: replicaSets.filter((set) => isOwnedBy(workload, set)).length > 1,
    ...(job && { job }),
    pods,
    leaving,
    claims,
    events: reading.warnings
      .filter((event) => uids.has(at(event, 'involvedObject', 'uid')))
      .sort((a, b) => seenAt(b) - seenAt(a)),
  };
}

/** The newest warning of a kind about one of the objects. */
export function warned(
  { events }: Pick<Picture, 'events'>,
  reason: string,
  about: JsonObject | undefined,
  words = '',
): JsonObject | undefined {
  const uid = at(about, 'metadata', 'uid');
  return events.find(
    (event) =>
      event.reason === reason && at(event, 'involvedObject', 'uid') === uid && text(event.message).includes(words),
  );
}
