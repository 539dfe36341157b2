import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { RolloutCount } from '../../core/ports.ts';
import type { PodTrouble } from '../../core/report.ts';
import { runAnnotation } from './apply.ts';

/** A Deployment with the objects that tell how its rollout goes. */
export type Observed = { deployment: JsonObject; replicaSets: JsonObject[]; pods: JsonObject[] };

/** Trouble of the newest pods; `final` where waiting won't help. `crashed` names the container whose last log tells more. */
export type Finding = PodTrouble & { final: boolean; crashed?: { pod: string; container: string } };

export type Verdict =
  | { kind: 'complete' }
  | { kind: 'superseded'; by?: string }
  | { kind: 'failed'; finding: Finding }
  | { kind: 'progressing'; finding?: Finding };

/** Unschedulable pods are given a moment: nodes join, and earlier pods make room when they end. */
const roomGraceMs = 15_000;
/**
 * A container without a readiness probe counts as ready the moment it starts, also one that will crash in a second.
 * So it has to have stayed up for this long.
 */
const steadyMs = 5_000;
/** A pull is tried again after 10 s and 20 s; what failed for this long is not a hiccup. */
const pullGraceMs = 25_000;

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** How many pods there should be, run the new template, and are ready with it. */
export function countOf(deployment: JsonObject): RolloutCount {
  const status = at(deployment, 'status');
  const updated = number(at(status, 'updatedReplicas'));
  const replicas = at(deployment, 'spec', 'replicas');
  return {
    replicas: typeof replicas === 'number' ? replicas : 1,
    updated,
    ready: Math.min(updated, number(at(status, 'availableReplicas'))),
  };
}

/** kubectl's own rule for a rollout that is through; and none are left over, which it lets pass when scaling down. */
function isComplete(deployment: JsonObject): boolean {
  const status = at(deployment, 'status');
  const { replicas, updated } = countOf(deployment);
  const observed = number(at(status, 'observedGeneration')) >= number(at(deployment, 'metadata', 'generation'));
  const noneOld = number(at(status, 'replicas')) <= Math.min(updated, replicas);
  return observed && updated >= replicas && noneOld && number(at(status, 'availableReplicas')) >= updated;
}

function condition(object: JsonObject, type: string): JsonObject | undefined {
  return list(at(object, 'status', 'conditions')).find((entry) => entry.type === type);
}

const revisionOf = (replicaSet: JsonObject) =>
  Number(at(replicaSet, 'metadata', 'annotations', 'deployment.kubernetes.io/revision') ?? 0);

function ownedBy(owner: JsonObject, objects: JsonObject[]): JsonObject[] {
  const uid = at(owner, 'metadata', 'uid');
  return objects.filter((object) =>
    list(at(object, 'metadata', 'ownerReferences')).some((reference) => reference.uid === uid),
  );
}

/** The ReplicaSet of the template that stands now: the one with the highest revision. */
export function newestReplicaSet({ deployment, replicaSets }: Observed): JsonObject | undefined {
  return ownedBy(deployment, replicaSets).sort((a, b) => revisionOf(b) - revisionOf(a))[0];
}

function quotaFinding(replicaSet: JsonObject): Finding | undefined {
  const failure = condition(replicaSet, 'ReplicaFailure');
  if (failure?.status !== 'True') return undefined;
  const detail = text(failure.message);
  return { code: detail.includes('exceeded quota') ? 'quota' : 'bad-config', detail, logs: [], final: true };
}

type Container = {
  name: string;
  waiting: string;
  message: string;
  restarts: number;
  exit: Json | undefined;
  lastExit: string;
};

function containersOf(pod: JsonObject): Container[] {
  return [...list(at(pod, 'status', 'initContainerStatuses')), ...list(at(pod, 'status', 'containerStatuses'))].map(
    (status) => {
      const last = at(status, 'lastState', 'terminated') ?? at(status, 'state', 'terminated');
      return {
        name: text(status.name),
        waiting: text(at(status, 'state', 'waiting', 'reason')),
        message: text(at(status, 'state', 'waiting', 'message')),
        restarts: number(status.restartCount),
        exit: at(last, 'exitCode'),
        lastExit: text(at(last, 'reason')),
      };
    },
  );
}

function containerFinding(pod: string, container: Container, ageMs: number): Finding | undefined {
  const { name, waiting, message, restarts, exit, lastExit } = container;
  switch (waiting) {
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return { code: 'image-pull', pod, detail: message, logs: [], final: true };
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return { code: 'image-pull', pod, detail: message, logs: [], final: ageMs > pullGraceMs };
    case 'CreateContainerConfigError':
    case 'CreateContainerError':
    case 'RunContainerError':
      return { code: 'bad-config', pod, detail: message, logs: [], final: ageMs > roomGraceMs };
    default:
  }
  if (waiting !== 'CrashLoopBackOff' && restarts < 2) return undefined;
  const how = lastExit === 'OOMKilled' ? 'it ran out of memory (OOMKilled)' : `exit code ${exit ?? 'unknown'}`;
  const detail = `${how}, ${restarts} restart${restarts === 1 ? '' : 's'}`;
  return { code: 'crash-loop', pod, detail, logs: [], final: true, crashed: { pod, container: name } };
}

function podFinding(pod: JsonObject, now: number): Finding | undefined {
  const name = text(at(pod, 'metadata', 'name'));
  const ageMs = now - Date.parse(text(at(pod, 'metadata', 'creationTimestamp')));
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable')
    return { code: 'no-room', pod: name, detail: text(scheduled.message), logs: [], final: ageMs > roomGraceMs };
  return containersOf(pod)
    .map((container) => containerFinding(name, container, ageMs))
    .find((finding) => finding !== undefined);
}

const podsOfNewest = (observed: Observed): JsonObject[] => {
  const replicaSet = newestReplicaSet(observed);
  const pods = replicaSet ? ownedBy(replicaSet, observed.pods) : [];
  return pods.filter((pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined);
};

/** Whether every container that has no readiness probe has stayed up for a while. */
function isSteady(observed: Observed, now: number): boolean {
  const pods = podsOfNewest(observed);
  if (pods.length < countOf(observed.deployment).replicas) return false;
  return pods.every((pod) => {
    const unprobed = list(at(pod, 'spec', 'containers')).filter((container) => container.readinessProbe === undefined);
    const names = new Set(unprobed.map(({ name }) => text(name)));
    return list(at(pod, 'status', 'containerStatuses'))
      .filter(({ name }) => names.has(text(name)))
      .every((status) => now - Date.parse(text(at(status, 'state', 'running', 'startedAt'))) >= steadyMs);
  });
}

/** What is wrong with the pods of the newest template, the worst first. Pods of earlier ones don't count. */
export function findTrouble(observed: Observed, now: number): Finding | undefined {
  const replicaSet = newestReplicaSet(observed);
  if (!replicaSet) return undefined;
  const findings = podsOfNewest(observed)
    .map((pod) => podFinding(pod, now))
    .filter((finding) => finding !== undefined);
  const quota = quotaFinding(replicaSet);
  const all = quota ? [quota, ...findings] : findings;
  return all.find(({ final }) => final) ?? all[0];
}

/** Judges a rollout by what is seen now. `appliedGeneration` is the generation that `run` made, once it is known. */
export function judgeRollout(observed: Observed, run: string, appliedGeneration: number, now: number): Verdict {
  const { deployment } = observed;
  const by = text(at(deployment, 'metadata', 'annotations', runAnnotation));
  if (by !== run && number(at(deployment, 'metadata', 'generation')) > appliedGeneration)
    return by === '' ? { kind: 'superseded' } : { kind: 'superseded', by };
  if (isComplete(deployment) && isSteady(observed, now)) return { kind: 'complete' };
  const observedNow =
    number(at(deployment, 'status', 'observedGeneration')) >= number(at(deployment, 'metadata', 'generation'));
  if (!observedNow) return { kind: 'progressing' };
  const finding = findTrouble(observed, now);
  if (finding?.final) return { kind: 'failed', finding };
  if (condition(deployment, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    const detail = text(condition(deployment, 'Progressing')?.message);
    return { kind: 'failed', finding: finding ?? { code: 'not-ready', detail, logs: [], final: true } };
  }
  return finding ? { kind: 'progressing', finding } : { kind: 'progressing' };
}
