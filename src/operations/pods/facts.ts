import { shortImage } from '../../core/image.ts';
import { at, type Json, type JsonObject, text } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';
import { condition, list, momentIn, nameIn, number } from './raw.ts';

/** A container of a pod with what is known of it now. */
export type ContainerFacts = {
  name: string;
  role: 'init' | 'own' | 'debug';
  spec: JsonObject;
  image: string;
  /** Of the image that really runs: `sha256:…`. */
  digest?: string;
  ready: boolean;
  restarts: number;
  /** What it waits for, runs as, or ended with. */
  waiting?: JsonObject;
  running?: JsonObject;
  ended?: JsonObject;
  /** How its run before this one ended. */
  before?: JsonObject;
};

const roles = [
  ['init', 'initContainers', 'initContainerStatuses'],
  ['own', 'containers', 'containerStatuses'],
  ['debug', 'ephemeralContainers', 'ephemeralContainerStatuses'],
] as const;

const object = (value: Json | undefined): JsonObject | undefined => list(value === undefined ? [] : [value])[0];

/** All containers of a pod: those that prepare it, its own, and those that somebody added to debug it. */
export function containersOf(pod: JsonObject): ContainerFacts[] {
  return roles.flatMap(([role, specs, statuses]) => {
    const known = list(at(pod, 'status', statuses));
    return list(at(pod, 'spec', specs)).map((spec) => {
      const status = known.find(({ name }) => name === spec.name);
      const digest = /sha256:[0-9a-f]{64}/.exec(text(status?.imageID))?.[0];
      const [waiting, running, ended, before] = [
        object(at(status, 'state', 'waiting')),
        object(at(status, 'state', 'running')),
        object(at(status, 'state', 'terminated')),
        object(at(status, 'lastState', 'terminated')),
      ];
      return {
        name: text(spec.name),
        role,
        spec,
        image: text(spec.image),
        ready: status?.ready === true,
        restarts: number(status?.restartCount),
        ...(digest && { digest }),
        ...(waiting && { waiting }),
        ...(running && { running }),
        ...(ended && { ended }),
        ...(before && { before }),
      };
    });
  });
}

/** An init container that stays on beside the others. */
const isSidecar = ({ role, spec }: ContainerFacts) => role === 'init' && spec.restartPolicy === 'Always';

/** The containers whose being ready makes the pod ready. */
export const ownContainers = (pod: JsonObject): ContainerFacts[] =>
  containersOf(pod).filter((container) => container.role === 'own' || isSidecar(container));

const signals: Record<number, string> = { 137: 'killed', 139: 'crashed (segmentation fault)', 143: 'asked to stop' };

/** How a container ended: `ran out of memory (exit code 137)`. */
export function exitText(ended: JsonObject): string {
  const code = number(ended.exitCode);
  const how = ended.reason === 'OOMKilled' ? 'ran out of memory' : (signals[code] ?? (code === 0 ? 'ended' : 'failed'));
  const message = text(ended.message).split('\n')[0]?.slice(0, 150) ?? '';
  return `${how} (exit code ${code})${message === '' ? '' : `: ${message}`}`;
}

const troubles: Record<string, string> = {
  ErrImagePull: 'the image can’t be pulled',
  ImagePullBackOff: 'the image can’t be pulled',
  InvalidImageName: 'the image’s name is not one',
  ErrImageNeverPull: 'the image is not on the node, and may not be pulled',
  CreateContainerConfigError: 'needs something that is missing',
  CreateContainerError: 'can’t be created',
  RunContainerError: 'can’t be started',
};

/** What is wrong with a container; undefined where nothing is, or nothing yet. */
export function troubleOf({
  waiting,
  ended,
  before,
  ready,
  running,
  role,
  restarts,
}: ContainerFacts): string | undefined {
  const reason = text(waiting?.reason);
  if (reason === 'CrashLoopBackOff') return `crashes again and again: ${before ? exitText(before) : 'see its log'}`;
  const known = troubles[reason];
  if (known) return [known, text(waiting?.message).slice(0, 200)].filter(Boolean).join(': ');
  // Between its end and the kubelet's next word it is the same crash loop.
  const again = restarts >= 2 ? 'crashes again and again: ' : '';
  if (ended && number(ended.exitCode) !== 0) return `${again}${exitText(ended)}`;
  if (running && !ready && role === 'own') return 'runs, but is not ready';
  return undefined;
}

function unscheduled(pod: JsonObject): string | undefined {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  if (scheduled.reason === 'SchedulingGated') return 'is held back by a scheduling gate';
  return `no node takes it: ${text(scheduled.message)}`;
}

function preparing(pod: JsonObject): string | undefined {
  const all = containersOf(pod).filter((container) => container.role === 'init' && !isSidecar(container));
  const index = all.findIndex(({ ended }) => number(ended?.exitCode ?? -1) !== 0);
  const current = all[index];
  if (!current) return undefined;
  const trouble = troubleOf(current);
  const which = `init container ${current.name} (${index + 1} of ${all.length})`;
  return trouble ? `${which} ${trouble}` : `being prepared: ${which}`;
}

/** How a pod is, in a person's words, and whether that is well. */
export type PodState = { words: string; well: boolean };

function failedWords(pod: JsonObject): string {
  const [reason, message] = [text(at(pod, 'status', 'reason')), text(at(pod, 'status', 'message'))];
  if (reason !== '') return [reason === 'Evicted' ? 'was evicted' : reason, message].filter(Boolean).join(': ');
  const bad = containersOf(pod).find(({ ended }) => number(ended?.exitCode) !== 0);
  return bad?.ended ? `failed: ${bad.name} ${exitText(bad.ended)}` : 'failed';
}

/** A container without a probe counts as ready the moment it starts, also between two crashes. */
const steadyMs = 60_000;

function afterCrash(own: readonly ContainerFacts[], now: number): PodState | undefined {
  const crashed = own.find(({ before }) => {
    const ms = momentIn(before?.finishedAt);
    return ms !== undefined && now - ms < steadyMs && number(before?.exitCode) !== 0;
  });
  if (!crashed?.before) return undefined;
  const span = spanText(Math.max(0, now - (momentIn(crashed.before.finishedAt) ?? now)));
  return { words: `up again for now; ${span} ago it ${exitText(crashed.before)}`, well: false };
}

/** How a pod is, as one would tell a colleague. */
export function stateOf(pod: JsonObject, now: number): PodState {
  const bad = (words: string) => ({ words, well: false });
  const phase = text(at(pod, 'status', 'phase'));
  if (at(pod, 'metadata', 'deletionTimestamp') !== undefined) return { words: 'is being deleted', well: true };
  if (phase === 'Succeeded') return { words: 'done', well: true };
  if (phase === 'Failed') return bad(failedWords(pod));
  const held = unscheduled(pod) ?? (condition(pod, 'Initialized')?.status === 'True' ? undefined : preparing(pod));
  if (held) return bad(held);
  const own = ownContainers(pod);
  const named = own.length > 1;
  for (const container of own) {
    const trouble = troubleOf(container);
    if (trouble) return bad(named ? `${container.name} ${trouble}` : trouble);
  }
  if (own.every(({ ready }) => ready)) return afterCrash(own, now) ?? { words: 'ready', well: true };
  return bad('starting');
}

/** When a container of the pod was last started anew: `3 (the last 2 min ago)`. */
export function restartsOf(pod: JsonObject, now: number): string {
  const own = ownContainers(pod);
  const sum = own.reduce((total, { restarts }) => total + restarts, 0);
  const last = Math.max(...own.map(({ before }) => momentIn(before?.finishedAt) ?? 0));
  return sum === 0 || last <= 0 ? String(sum) : `${sum} (${spanText(now - last)} ago)`;
}

export function ageOf(pod: JsonObject, now: number): string {
  const since = momentIn(at(pod, 'metadata', 'creationTimestamp'));
  return since === undefined ? '' : spanText(now - since);
}

export const nodeOf = (pod: JsonObject): string => text(at(pod, 'spec', 'nodeName'));

/** A pod's name without the workload's and its template's: what tells it from its siblings. */
export function shortName(pod: JsonObject, workload: string): string {
  const name = nameIn(pod);
  const hash = text(at(pod, 'metadata', 'labels', 'pod-template-hash'));
  const start = [`${workload}-${hash}-`, `${workload}-`].find((each) => name.startsWith(each));
  return start === undefined ? name : name.slice(start.length);
}

/** The image as people say it; as it stands where it is no proper reference. */
export function imageText(image: string): string {
  try {
    return shortImage(image);
  } catch {
    return image;
  }
}
