import { type ContainerState, containerStates, symptomOf, unschedulable } from '../../core/containers.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import {
  condition,
  countOf,
  isComplete,
  isNoticed,
  isUnheard,
  list,
  newestReplicaSet,
  number,
  type Observed,
  podsOfNewest,
} from '../../core/observed.ts';
import type { PodTrouble } from '../../core/report.ts';

/** Trouble of the newest pods; `final` where waiting won't help. `crashed` names the container whose last log tells more. */
export type Finding = PodTrouble & { final: boolean; crashed?: { pod: string; container: string } };

export type Verdict =
  | { kind: 'complete' }
  | { kind: 'superseded'; by?: string }
  | { kind: 'paused'; why: string }
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

function quotaFinding(replicaSet: JsonObject): Finding | undefined {
  const failure = condition(replicaSet, 'ReplicaFailure');
  if (failure?.status !== 'True') return undefined;
  const detail = text(failure.message);
  return { code: detail.includes('exceeded quota') ? 'quota' : 'bad-config', detail, logs: [], final: true };
}

function containerFinding(pod: string, container: ContainerState, ageMs: number): Finding | undefined {
  const { name, message, restarts, exit } = container;
  const symptom = symptomOf(container);
  switch (symptom) {
    case 'bad-image':
      return { code: 'image-pull', pod, detail: message, logs: [], final: true };
    case 'image-pull':
      return { code: 'image-pull', pod, detail: message, logs: [], final: ageMs > pullGraceMs };
    case 'bad-config':
    case 'bad-start':
      return { code: 'bad-config', pod, detail: message, logs: [], final: ageMs > roomGraceMs };
    case 'crash-loop': {
      const how =
        exit?.reason === 'OOMKilled' ? 'it ran out of memory (OOMKilled)' : `exit code ${exit?.code ?? 'unknown'}`;
      const detail = `${how}, ${restarts} restart${restarts === 1 ? '' : 's'}`;
      return { code: 'crash-loop', pod, detail, logs: [], final: true, crashed: { pod, container: name } };
    }
    case undefined:
      return undefined;
    default:
      return symptom satisfies never;
  }
}

/** A Job decides itself how often its pods may fail (backoffLimit). */
const forJob = (finding: Finding): Finding => (finding.code === 'crash-loop' ? { ...finding, final: false } : finding);

function podFinding(pod: JsonObject, now: number): Finding | undefined {
  const name = text(at(pod, 'metadata', 'name'));
  const ageMs = now - Date.parse(text(at(pod, 'metadata', 'creationTimestamp')));
  const detail = unschedulable(pod);
  if (detail !== undefined) return { code: 'no-room', pod: name, detail, logs: [], final: ageMs > roomGraceMs };
  return containerStates(pod)
    .map((container) => containerFinding(name, container, ageMs))
    .find((finding) => finding !== undefined);
}

/** Whether they are all there, and every container that has no readiness probe has stayed up for a while. A job's pods may end at once. */
function isSteady(observed: Observed, now: number): boolean {
  const { workload } = observed;
  if (workload.kind === 'Job' || workload.kind === 'CronJob') return true;
  const pods = podsOfNewest(observed);
  return pods.length >= countOf(workload).replicas && haveStayedUp(pods, now);
}

function haveStayedUp(pods: readonly JsonObject[], now: number): boolean {
  return pods.every((pod) => {
    const unprobed = list(at(pod, 'spec', 'containers')).filter((container) => container.readinessProbe === undefined);
    const names = new Set(unprobed.map(({ name }) => text(name)));
    return list(at(pod, 'status', 'containerStatuses'))
      .filter(({ name }) => names.has(text(name)))
      .every((status) => now - Date.parse(text(at(status, 'state', 'running', 'startedAt'))) >= steadyMs);
  });
}

/** Why a job gave up, with the container that failed last. */
function jobFinding({ workload, pods }: Observed): Finding | undefined {
  const failed = condition(workload, 'Failed');
  if (failed?.status !== 'True') return undefined;
  const detail = `the job gave up: ${text(failed.message)}`;
  const last = pods.findLast((pod) => at(pod, 'status', 'phase') === 'Failed');
  const pod = text(at(last, 'metadata', 'name'));
  const container = text(at(last, 'status', 'containerStatuses', 0, 'name'));
  return { code: 'crash-loop', detail, logs: [], final: true, ...(last && { pod, crashed: { pod, container } }) };
}

/** What is wrong with the pods of the newest template, the worst first. Pods of earlier ones don't count. */
export function findTrouble(observed: Observed, now: number): Finding | undefined {
  const replicaSet = newestReplicaSet(observed);
  const isJob = observed.workload.kind === 'Job';
  const findings = podsOfNewest(observed).map((pod) => {
    const finding = podFinding(pod, now);
    return finding && isJob ? forJob(finding) : finding;
  });
  const all = [jobFinding(observed), replicaSet && quotaFinding(replicaSet), ...findings].filter(
    (finding) => finding !== undefined,
  );
  return all.find(({ final }) => final) ?? all[0];
}

/** What a rollout waits for that is not over yet. */
const waitsFor = (code: Finding['code'], detail: string): Finding => ({ code, detail, logs: [], final: false });

/**
 * What Argo's controller says of its Rollout, once it has seen what was applied. It waits at a pause step without an end
 * until somebody promotes or aborts: nobody can be waited for there.
 */
function judgeArgo(observed: Observed, finding: Finding | undefined, now: number): Verdict {
  const rollout = observed.workload;
  const [phase, why] = [text(at(rollout, 'status', 'phase')), text(at(rollout, 'status', 'message'))];
  const said = waitsFor('not-ready', `Argo Rollouts says ${why === '' ? phase : `${phase}: ${why}`}`);
  const going: Verdict = { kind: 'progressing', finding: finding && !finding.final ? finding : said };
  switch (phase) {
    case 'Degraded':
      if (isUnheard(rollout)) return going;
      return { kind: 'failed', finding: finding ?? { code: 'not-ready', detail: why, logs: [], final: true } };
    case 'Paused': {
      const strategy = at(rollout, 'spec', 'strategy');
      const step = list(at(strategy, 'canary', 'steps'))[number(at(rollout, 'status', 'currentStepIndex'))];
      const span = at(step, 'pause', 'duration') ?? at(strategy, 'blueGreen', 'autoPromotionSeconds');
      const byHand = at(rollout, 'spec', 'paused') === true;
      // A canary is promoted on the word that it waits there: Argo says so the moment its pods start, also of what crashes.
      if (finding?.final) return { kind: 'failed', finding };
      if (!byHand && !haveStayedUp(podsOfNewest(observed), now)) return going;
      return !byHand && (span !== undefined || isUnheard(rollout)) ? going : { kind: 'paused', why };
    }
    default:
      return finding?.final ? { kind: 'failed', finding } : going;
  }
}

/** Judges a rollout by what is seen now. `appliedGeneration` is the generation that `run` made, once it is known. */
export function judgeRollout(observed: Observed, run: string, appliedGeneration: number, now: number): Verdict {
  const { workload } = observed;
  const by = text(at(workload, 'metadata', 'annotations', runAnnotation));
  if (by !== run && number(at(workload, 'metadata', 'generation')) > appliedGeneration)
    return by === '' ? { kind: 'superseded' } : { kind: 'superseded', by };
  if (isComplete(workload) && isSteady(observed, now)) return { kind: 'complete' };
  if (workload.kind !== 'Job' && !isNoticed(workload)) return { kind: 'progressing', finding: waitsFor('unheard', '') };
  const finding = findTrouble(observed, now);
  if (workload.kind === 'Rollout') return judgeArgo(observed, finding, now);
  if (finding?.final) return { kind: 'failed', finding };
  if (condition(workload, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    const detail = text(condition(workload, 'Progressing')?.message);
    return { kind: 'failed', finding: finding ?? { code: 'not-ready', detail, logs: [], final: true } };
  }
  return finding ? { kind: 'progressing', finding } : { kind: 'progressing' };
}
