import { at, type Json, type JsonObject, text } from './json.ts';
import { condition, list, number } from './observed.ts';

/** How a container stands, as its pod's status has it. */
export type ContainerState = {
  name: string;
  image: string;
  /** It prepares the pod, and must end well before the others begin. */
  init: boolean;
  ready: boolean;
  running: boolean;
  /** Why it waits, as Kubernetes calls it: `ImagePullBackOff`; empty where it does not wait. */
  waiting: string;
  message: string;
  restarts: number;
  /** How it ended last, where it ever did. */
  exit?: { code: number; reason: string; message: string; startedAt: number; endedAt: number };
};

function exitOf(state: Json | undefined): ContainerState['exit'] {
  if (state === undefined) return undefined;
  const [reason, message] = [text(at(state, 'reason')), text(at(state, 'message'))];
  const [startedAt = 0, endedAt = 0] = ['startedAt', 'finishedAt'].map((field) => Date.parse(text(at(state, field))));
  return { code: number(at(state, 'exitCode')), reason, message, startedAt, endedAt };
}

function stateOf(status: JsonObject, init: boolean): ContainerState {
  const exit = exitOf(at(status, 'state', 'terminated') ?? at(status, 'lastState', 'terminated'));
  return {
    name: text(status.name),
    image: text(status.image),
    init,
    ready: status.ready === true,
    running: at(status, 'state', 'running') !== undefined,
    waiting: text(at(status, 'state', 'waiting', 'reason')),
    message: text(at(status, 'state', 'waiting', 'message')),
    restarts: number(status.restartCount),
    ...(exit && { exit }),
  };
}

/** The containers of a pod, those first that begin first. */
export const containerStates = (pod: JsonObject): ContainerState[] => [
  ...list(at(pod, 'status', 'initContainerStatuses')).map((status) => stateOf(status, true)),
  ...list(at(pod, 'status', 'containerStatuses')).map((status) => stateOf(status, false)),
];

/**
 * What keeps a container from running: its image has no possible name, or can't be pulled; its settings can't be had; it
 * can't be started; it starts and ends again and again.
 */
export type Symptom = 'bad-image' | 'image-pull' | 'bad-config' | 'bad-start' | 'crash-loop';

const symptoms: Record<string, Symptom> = {
  InvalidImageName: 'bad-image',
  ErrImageNeverPull: 'bad-image',
  ErrImagePull: 'image-pull',
  ImagePullBackOff: 'image-pull',
  CreateContainerConfigError: 'bad-config',
  CreateContainerError: 'bad-start',
  RunContainerError: 'bad-start',
  CrashLoopBackOff: 'crash-loop',
};

/** One restart may be an accident. */
export function symptomOf({ waiting, restarts }: Pick<ContainerState, 'waiting' | 'restarts'>): Symptom | undefined {
  return symptoms[waiting] ?? (restarts >= 2 ? 'crash-loop' : undefined);
}

/** Why no node takes the pod, in the scheduler's words; undefined where one did, or the scheduler has not looked yet. */
export function unschedulable(pod: JsonObject): string | undefined {
  const scheduled = condition(pod, 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? text(scheduled.message) : undefined;
}
