import { at, type JsonObject, text } from './json.ts';
import type { Kind, KindName } from './kinds.ts';
import type { ListTypes } from './list-types.ts';
import type { PodTrouble } from './report.ts';

/** An object's address. The namespace is empty for what lives in the cluster itself. */
export type ObjectRef = { apiVersion: string; kind: string; namespace: string; name: string };

/** What a manifest is a manifest of. */
export const refOf = (manifest: JsonObject): ObjectRef => ({
  apiVersion: text(manifest.apiVersion),
  kind: text(manifest.kind),
  namespace: text(at(manifest, 'metadata', 'namespace')),
  name: text(at(manifest, 'metadata', 'name')),
});

/** What a write is about. */
export const refOfWrite = (write: { manifest: JsonObject } | { ref: ObjectRef }): ObjectRef =>
  'manifest' in write ? refOf(write.manifest) : write.ref;

/** Whether it is Kubernetes' own kind: others have kinds of that name too (Azure's `servicebus.azure.com` Namespace). */
export const isNamespace = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): boolean =>
  apiVersion === 'v1' && kind === 'Namespace';

/** Objects of a kind: in a namespace, or everywhere where it is empty; by selectors as the API writes them. */
export type Selection = { apiVersion: string; kind: string; namespace: string; labels?: string; fields?: string };

/** Objects as a watch has them, and when (ms since the epoch) they were last known to be so. */
export type Sight = { objects: readonly JsonObject[]; asOf: number };

/** A server-side dry run: the object as it would be. */
export type Preview = {
  after: JsonObject;
  takesOver: { field: string; manager: string }[];
};

export type RolloutCount = { replicas: number; updated: number; ready: number };

/** How following a rollout ended. */
export type RolloutEnd = RolloutCount &
  (
    | { kind: 'complete' }
    | { kind: 'failed'; trouble: PodTrouble }
    | { kind: 'timed-out'; trouble: PodTrouble }
    | { kind: 'superseded'; by?: string }
    /** Its own strategy waits for somebody's word (an Argo Rollout at a pause step). */
    | { kind: 'paused'; why: string }
  );

export type Workload = RolloutCount & {
  object: JsonObject;
  image?: string;
  /** Set while its pods don't get ready. */
  trouble?: PodTrouble;
};

/** A pod template that a workload has or had; `at` is when it came, ISO 8601. */
export type Revision = { revision: number; template: JsonObject; at: string; current: boolean };

/** What the API server makes of the eviction of a pod: a PodDisruptionBudget may not allow it now. */
export type Eviction = { kind: 'evicted' } | { kind: 'gone' } | { kind: 'blocked'; why: string };

export type LogOptions = {
  container?: string;
  /** Of the container's run before this one. */
  previous?: boolean;
  sinceSeconds?: number;
  tailLines?: number;
  /** Goes on as the pod writes, until the signal. */
  follow?: boolean;
};

export type MergeOptions = { dryRun?: boolean; subresource?: 'status' | 'ephemeralcontainers' };

/** How a command in a container ended. Output beyond the limit is dropped and said so; size and hash are of all of it. */
export type ExecEnd = {
  exitCode?: number;
  output: string;
  cut: boolean;
  timedOut: boolean;
  bytes: number;
  sha256: string;
};

/** One cluster. Objects are raw JSON in both directions, so that no field is lost that this program doesn't know. */
export type Kube = {
  /** The object, or undefined where there is none. */
  read(ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined>;
  /** How the cluster calls a kind, and whether it lives in namespaces. @throws Fault UNKNOWN_KIND */
  kindOf(of: Pick<ObjectRef, 'apiVersion' | 'kind'>, signal: AbortSignal): Promise<Kind>;
  /** How the cluster tells the entries of a kind's lists apart; not at all where it doesn't say, or can't be asked. */
  listTypes(of: Pick<ObjectRef, 'apiVersion' | 'kind'>, signal: AbortSignal): Promise<ListTypes>;
  /** All pages of a list, asked for now; each item bears its kind. */
  list(selection: Selection, signal: AbortSignal): Promise<JsonObject[]>;
  /**
   * All objects of a kind in a namespace, from the watch that all who look share; with the API server away, as they were.
   * @throws Fault where there is no picture at all
   */
  look(kind: KindName | Pick<ObjectRef, 'apiVersion' | 'kind'>, namespace: string, signal: AbortSignal): Promise<Sight>;
  /** Server-side apply as a dry run, field manager `shipmate`. Changes nothing. */
  preview(manifest: JsonObject, signal: AbortSignal): Promise<Preview>;
  /**
   * Server-side apply, field manager `shipmate`. Doing it twice does it once.
   * `run` goes into the annotation `shipmate.dev/run`, `force` takes over the fields that the plan named.
   */
  apply(manifest: JsonObject, options: { run: string; force: boolean }, signal: AbortSignal): Promise<JsonObject>;
  /** Creates what has no name to be applied under, or is a question (a review). With `dryRun` nothing is made. */
  create(manifest: JsonObject, options: { dryRun?: boolean }, signal: AbortSignal): Promise<JsonObject>;
  /**
   * A JSON merge patch, of the object or of its status. A `metadata.resourceVersion` in it makes it fail where somebody
   * else came first.
   */
  merge(ref: ObjectRef, patch: JsonObject, options: MergeOptions, signal: AbortSignal): Promise<JsonObject>;
  /**
   * Deletes the object and what it owns; with `uid`, only the very object that was planned for.
   * @returns false where it was gone already
   */
  remove(ref: ObjectRef, options: { dryRun?: boolean; uid?: string }, signal: AbortSignal): Promise<boolean>;
  /** Asks for a pod to be evicted, once: PodDisruptionBudgets are respected. With `uid`, only the very pod that is meant. */
  evict(ref: ObjectRef & { uid?: string }, signal: AbortSignal): Promise<Eviction>;
  /** A pod's log, line by line, each with the time that the kubelet gave it: `2026-11-25T02:00:00.123456789Z text`. */
  logs(ref: ObjectRef, options: LogOptions, signal: AbortSignal): AsyncIterable<string>;
  /** Runs a command in a container, without a terminal and without a shell of ours. `limitBytes` bounds the output. */
  exec(
    ref: ObjectRef,
    options: { container: string; command: readonly string[]; limitBytes: number; ms: number },
    signal: AbortSignal,
  ): Promise<ExecEnd>;
  /**
   * GETs a path of a Service through the API server, which chooses a pod of it that is ready. Any answer of the pod's is one,
   * whatever its status. @throws Fault CLUSTER_UNREACHABLE where no pod answered
   */
  ask(
    service: { namespace: string; name: string; port: number },
    path: string,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }>;
  /**
   * Watches a workload's rollout until it is complete, has failed, is past `deadline` (ms epoch), or another run took over.
   * `seen` gets the counts whenever they change; `unheard` is called while the controller of an Argo Rollout does not take up
   * what was last asked of it.
   */
  follow(
    ref: ObjectRef,
    options: { run: string; deadline: number; seen: (count: RolloutCount) => void; unheard?: () => void },
    signal: AbortSignal,
  ): Promise<RolloutEnd>;
  /** A workload with its counts and, where it is in trouble, why. It is asked for, unless it is `seen` already. */
  workload(ref: ObjectRef, signal: AbortSignal, seen?: JsonObject): Promise<Workload | undefined>;
  /** Pod templates of earlier revisions of a workload, newest first, without the current one. */
  revisions(ref: ObjectRef, signal: AbortSignal): Promise<Revision[]>;
  /** The same with the current one. */
  allRevisions(ref: ObjectRef, signal: AbortSignal): Promise<Revision[]>;
  /** The API server's version, such as `v1.37.2`; throws CLUSTER_UNREACHABLE where it does not answer. */
  version(signal: AbortSignal): Promise<string>;
  /** By how much this machine's clock is ahead of the API server's, to half a second; undefined where it does not say. */
  clockAheadMs(signal: AbortSignal): Promise<number | undefined>;
};
