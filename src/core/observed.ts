import { isDeepStrictEqual } from 'node:util';
import { at, isObject, type Json, type JsonObject, text } from './json.ts';
import type { RolloutCount } from './kube.ts';

/** A workload with the objects that tell how its rollout goes. Only Deployments and Rollouts have ReplicaSets. */
export type Observed = { workload: JsonObject; replicaSets: readonly JsonObject[]; pods: readonly JsonObject[] };

export const hasReplicaSets = (kind: string): boolean => kind === 'Deployment' || kind === 'Rollout';

export const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
const orOne = (value: Json | undefined) => (typeof value === 'number' ? value : 1);

/** One of the conditions in an object's status. */
export function condition(object: JsonObject, type: string): JsonObject | undefined {
  return list(at(object, 'status', 'conditions')).find((entry) => entry.type === type);
}

/** How many pods there should be, run the new template, and are ready with it. */
export function countOf(workload: JsonObject): RolloutCount {
  const status = at(workload, 'status');
  const of = (field: string) => number(at(status, field));
  switch (workload.kind) {
    case 'DaemonSet': {
      const updated = of('updatedNumberScheduled');
      return { replicas: of('desiredNumberScheduled'), updated, ready: Math.min(updated, of('numberAvailable')) };
    }
    case 'Job':
      return {
        replicas: orOne(at(workload, 'spec', 'completions')),
        updated: of('active') + of('succeeded'),
        ready: of('succeeded'),
      };
    case 'CronJob':
      return { replicas: 0, updated: 0, ready: 0 };
    default: {
      const updated = of('updatedReplicas');
      return {
        replicas: orOne(at(workload, 'spec', 'replicas')),
        updated,
        ready: Math.min(updated, of('availableReplicas')),
      };
    }
  }
}

/** Argo's label on the ReplicaSets of a Rollout, and on their pods. */
const argoHash = 'rollouts-pod-template-hash';

/** Argo's mark on a Rollout with a `workloadRef`: the generation of the Deployment that its pods are to be made after. */
export const templateGeneration = 'rollout.argoproj.io/workload-generation';

/** Whether the controller has seen what was last applied. Argo writes the generations that it saw as text. */
export function isNoticed(workload: JsonObject): boolean {
  const seen = (field: string) => Number(at(workload, 'status', field) ?? 0);
  const ofTemplate = Number(at(workload, 'metadata', 'annotations', templateGeneration) ?? 0);
  const isNew = at(workload, 'spec', 'workloadRef') !== undefined && seen('workloadObservedGeneration') < ofTemplate;
  return seen('observedGeneration') >= number(at(workload, 'metadata', 'generation')) && !isNew;
}

/** A controller that is well takes up a change within a moment: one that has not after so long may have lost it. */
export const unheardMs = 5_000;

/**
 * Whether the controller of an Argo Rollout has yet to take up what was last asked of it: a change of its template, a pause
 * that was lifted, an abort, or one that is tried again. Of what is written into the status no generation tells.
 */
export function isUnheard(rollout: JsonObject): boolean {
  if (rollout.kind !== 'Rollout') return false;
  const of = (field: string) => at(rollout, 'status', field);
  const lifted = list(of('pauseConditions')).length === 0 || of('promoteFull') === true;
  const goesOn = of('phase') === 'Paused' && at(rollout, 'spec', 'paused') !== true && lifted;
  const toAbort = of('abort') === true && of('phase') !== 'Degraded';
  const wasAborted = of('phase') === 'Degraded' && text(of('message')).startsWith('RolloutAborted');
  return !isNoticed(rollout) || goesOn || toAbort || (wasAborted && of('abort') !== true);
}

/** An Argo Rollout is what its controller says of it; a restart is through when that has said so too. */
function isHealthyRollout(rollout: JsonObject): boolean {
  const restart = at(rollout, 'spec', 'restartAt');
  const restarted = typeof restart !== 'string' || text(at(rollout, 'status', 'restartedAt')) >= restart;
  return isNoticed(rollout) && at(rollout, 'status', 'phase') === 'Healthy' && restarted;
}

/** kubectl's own rule for a rollout that is through; and none are left over, which it lets pass when scaling down. */
export function isComplete(workload: JsonObject): boolean {
  const { replicas, updated, ready } = countOf(workload);
  switch (workload.kind) {
    case 'Job':
      return condition(workload, 'Complete')?.status === 'True';
    case 'CronJob':
      return true;
    case 'Rollout':
      return isHealthyRollout(workload);
    case 'DaemonSet':
      return isNoticed(workload) && updated >= replicas && ready >= replicas;
    case 'StatefulSet': {
      const partition = number(at(workload, 'spec', 'updateStrategy', 'rollingUpdate', 'partition'));
      const noneOver = number(at(workload, 'status', 'replicas')) <= replicas;
      const available = number(at(workload, 'status', 'availableReplicas')) >= replicas;
      return isNoticed(workload) && noneOver && available && updated >= Math.max(0, replicas - partition);
    }
    default: {
      const status = at(workload, 'status');
      const noneOld = number(at(status, 'replicas')) <= Math.min(updated, replicas);
      const available = number(at(status, 'availableReplicas')) >= updated;
      return isNoticed(workload) && updated >= replicas && noneOld && available;
    }
  }
}

/** Whether an object's owner references name this one. */
export function isOwnedBy(owner: JsonObject, object: JsonObject): boolean {
  const uid = at(owner, 'metadata', 'uid');
  return list(at(object, 'metadata', 'ownerReferences')).some((reference) => reference.uid === uid);
}

/** The number that Kubernetes gave a Deployment's ReplicaSet, or Argo a Rollout's; they bear that of the newest themselves. */
export function revisionOf(object: JsonObject): number {
  const annotation = (name: string) => at(object, 'metadata', 'annotations', name);
  return Number(annotation('deployment.kubernetes.io/revision') ?? annotation('rollout.argoproj.io/revision') ?? 0);
}

/** A pod template as it was asked for: without the label that its ReplicaSet's owner put there. */
export function templateOfSet(replicaSet: JsonObject): JsonObject {
  const template = at(replicaSet, 'spec', 'template');
  const labels = at(template, 'metadata', 'labels');
  if (!isObject(template)) return {};
  if (!isObject(template.metadata) || !isObject(labels)) return template;
  const { 'pod-template-hash': _, [argoHash]: __, ...own } = labels;
  return { ...template, metadata: { ...template.metadata, labels: own } };
}

const bornAt = (object: JsonObject): string => text(at(object, 'metadata', 'creationTimestamp'));

/**
 * The ReplicaSet of the template that stands now, once there is one; told as the controllers tell it. Not by the highest
 * revision: a ReplicaSet that is taken up again gets its new number a moment later, and until then the pods of the version
 * that was just left would be judged.
 */
export function newestReplicaSet({ workload, replicaSets }: Observed): JsonObject | undefined {
  const own = replicaSets.filter((set) => isOwnedBy(workload, set));
  // Argo puts more into the template of a ReplicaSet, so there its hash tells.
  if (workload.kind === 'Rollout') {
    const hash = at(workload, 'status', 'currentPodHash');
    return own.find((set) => hash !== undefined && at(set, 'metadata', 'labels', argoHash) === hash);
  }
  const template = at(workload, 'spec', 'template');
  const same = own.filter((set) => isDeepStrictEqual(templateOfSet(set), template));
  // To the controller 1Gi is as much as 1073741824, and the same template; the Deployment bears the revision of what it took.
  const taken = own.filter((set) => revisionOf(set) === revisionOf(workload));
  return (same.length > 0 ? same : taken).sort((a, b) => (bornAt(a) < bornAt(b) ? -1 : 1))[0];
}

function ofNewest(observed: Observed): JsonObject[] {
  const { workload, pods } = observed;
  const label = (pod: JsonObject, name: string) => at(pod, 'metadata', 'labels', name);
  switch (workload.kind) {
    case 'StatefulSet': {
      const newest = at(workload, 'status', 'updateRevision');
      return pods.filter((pod) => isOwnedBy(workload, pod) && label(pod, 'controller-revision-hash') === newest);
    }
    case 'DaemonSet': {
      const newest = at(workload, 'metadata', 'annotations', 'deprecated.daemonset.template.generation');
      return pods.filter((pod) => isOwnedBy(workload, pod) && label(pod, 'pod-template-generation') === newest);
    }
    case 'Deployment':
    case 'Rollout': {
      const replicaSet = newestReplicaSet(observed);
      return replicaSet ? pods.filter((pod) => isOwnedBy(replicaSet, pod)) : [];
    }
    default:
      return pods.filter((pod) => isOwnedBy(workload, pod));
  }
}

/** The pods of the template that stands now, without those on their way out. */
export const podsOfNewest = (observed: Observed): JsonObject[] =>
  ofNewest(observed).filter((pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined);
