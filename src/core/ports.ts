import type { Actor } from './actor.ts';
import type { AlertGroup } from './alert.ts';
import type { Delegation } from './approval.ts';
import type { AuditEntry, AuditHead, AuditRecord } from './audit.ts';
import type { Docker } from './build.ts';
import type { DockerHost } from './docker-host.ts';
import type { Harbor } from './harbor.ts';
import type { Identity } from './identity.ts';
import type { Attachments, Scanner, Signing } from './image-ports.ts';
import type { Kube } from './kube.ts';
import type { Lock } from './lock.ts';
import type { Hooks, Metrics } from './measuring.ts';
import type { Registry } from './registry.ts';
import type { Cancel, Origin, Run, RunEvent } from './run.ts';
import type { Shown } from './shown.ts';
import type { Steer } from './steer.ts';

/** What the engine and the operations need of the world outside. Each has a real client and passes the same contract tests. */

export type Clients = {
  /**
   * The client of one cluster, by its name in `shipmate.yaml`. Nothing of one cluster is ever sent to another. With `as`, what it
   * asks for is asked in that name, and it sees only what that name may see.
   */
  kube: (cluster: string, as?: Identity) => Kube;
  registry: Registry;
  attachments: Attachments;
  signing: Signing;
  scanner: Scanner;
  docker: Docker;
  /** The client of one Docker host, by its name in `shipmate.yaml`. @throws Fault UNKNOWN_DOCKER_HOST */
  dockerHost: (name: string) => DockerHost;
  harbor: Harbor;
  hand: Hand;
  git: Git;
  metrics: Metrics;
  hooks: Hooks;
  /** What Shipmate itself remembers. */
  runs: Pick<RunStore, 'read' | 'recent' | 'steer'>;
  order: OrderStore;
  locks: LockStore;
  audit: Pick<AuditStore, 'read' | 'head' | 'seal'>;
  delegations: DelegationStore;
  /** How the store is set up: nothing where all is well. */
  setup: { check(): Promise<SetupWarning[]> };
};

/** What may go wrong as things are set up, and how to mend it. */
export type SetupWarning = { problem: string; mend: string };

/**
 * Whether somebody may still ask and decide, as the platform that knows them says; remembered for five minutes at most.
 * Whoever it is that may not is told by `other`: “a guest”, “from another workspace”.
 * @throws Fault IDENTITY_UNKNOWN where the platform does not say
 */
export type Membership = (actor: Actor) => Promise<{ kind: 'member' } | { kind: 'other'; other: string }>;

/** Gives something to the asker of a run alone, where nobody else sees it and nothing keeps it. */
export type Hand = {
  /** Whether there is a way to this asker. */
  reaches(origin: Origin): boolean;
  /** @throws Error where it was not taken */
  give(origin: Origin, text: string, signal: AbortSignal): Promise<void>;
};

export type Git = {
  /**
   * The text files below a path of a repository at a branch, tag or commit, with the commit. `accept` chooses by path.
   * Nothing is checked out, and no hook, filter, submodule or symbolic link is followed.
   * @throws Fault GIT_FAILED
   */
  read(
    from: { url: string; ref: string; path: string },
    options: { hosts: readonly string[]; accept: (path: string) => boolean; limitBytes: number },
    signal: AbortSignal,
  ): Promise<{ commit: string; files: { path: string; text: string }[] }>;
  /**
   * Puts the files of a commit, below a path of it, into an empty folder: links as links, no submodules, and no filter or hook is
   * run. @throws Fault GIT_FAILED, also where there is more than `limitBytes` of it
   */
  checkout(
    from: { url: string; ref: string; path: string },
    to: { folder: string; hosts: readonly string[]; limitBytes: number },
    signal: AbortSignal,
  ): Promise<{ commit: string; committedAt: number }>;
};

/** Who holds a run, and what a worker must know as it begins: the locks as they are now. `epoch` grows with each take-over, and a write under an old one is refused. `lost` is how many workers were lost with it under way since it last got further. */
export type Lease = { epoch: number; run: Run; locks: Lock[]; cancel?: Cancel; lost: number };

/**
 * `keptMs`: how long it is kept where this ends it, if not as long as others. `further`: the run has got past where it was, so
 * what befell its workers there counts no more.
 */
export type Commit = { run: Run; events: RunEvent[]; keptMs?: number; further?: boolean };
export type CommitResult = 'ok' | 'conflict' | 'fenced';

export type RunStore = {
  /** Whether what is stored can be read with a key only. */
  sealed: boolean;
  /** Stores a new run once for each `key`; a second call with the key answers with the first one's run. */
  create(commit: Commit, key: string | undefined): Promise<{ run: Run; created: boolean }>;
  read(id: string): Promise<Run | undefined>;
  /** Newest first. */
  recent(limit: number): Promise<Run[]>;
  /**
   * Stores the run, with version `run.version`, where the stored one has `run.version - 1`; appends the events;
   * marks its message as due. With `epoch`, only while that lease holds.
   */
  commit(commit: Commit, epoch?: number): Promise<CommitResult>;
  events(id: string, after: string, limit: number): Promise<{ id: string; event: RunEvent }[]>;
  /**
   * Takes the run for `owner` and reads it; undefined while another holds it, or where there is none. A lease that ran out without
   * being let go of counts as a lost worker, until that worker is heard of again. Without `suspects` such a run is not taken;
   * with them it is on trial: until it is acquitted, the owner's end counts against it alone.
   */
  lease(
    id: string,
    owner: string,
    ttlMs: number,
    options?: { suspects: boolean },
  ): Promise<Lease | 'suspect' | undefined>;
  /** The run lived through its trial: the owner's end is no longer put down to it alone. */
  acquit(id: string, owner: string): Promise<void>;
  /** Prolongs leases; answers with those that were lost, the runs that somebody wants stopped, and how often others were steered. */
  renew(
    held: { id: string; epoch: number }[],
    ttlMs: number,
  ): Promise<{
    lost: string[];
    cancelled: { id: string; cancel: Cancel }[];
    steered: { id: string; count: number }[];
  }>;
  release(id: string, epoch: number): Promise<void>;
  /**
   * Asks for the run's turn at its place. Answers with the runs before it, the one whose turn it is first; none means that
   * the turn is its own until it is over, or waits for a person again. `first` puts it before all others who wait; a part
   * borrows its turn from the run `lender`, which has it again afterwards.
   */
  takeTurn(id: string, place: string, first: boolean, lender?: string): Promise<string[]>;
  /** Lets go of a run's turns, or its places in line, where it has several. */
  leaveTurns(id: string, places: readonly string[]): Promise<void>;
  /** Notes that somebody wants the run stopped; the first wish counts. */
  cancel(run: Run, cancel: Cancel): Promise<'ok' | 'again' | 'over' | 'unknown'>;
  /**
   * Says something to a run under way, once for each `key`; `text` is for its events and the audit log. The store gives it its
   * number.
   */
  steer(run: Run, steer: Omit<Steer, 'n'>, text: string, key?: string): Promise<'ok' | 'again' | 'over' | 'unknown'>;
  /** All that was said to a run, oldest first; from now on it counts as heard. */
  steers(id: string): Promise<Steer[]>;
  /** Runs that somebody should look at now; each is handed to one caller, and again after `againMs` if nothing came of it. */
  due(limit: number, againMs: number): Promise<string[]>;
  /** True for the first caller with this key within `ttlMs`. */
  first(key: string, ttlMs: number): Promise<boolean>;
  /** Counts a request within a sliding window; false where `limit` others were counted already. One `id` counts once. */
  within(key: string, id: string, limit: number, windowMs: number): Promise<boolean>;
  /**
   * Notes that somebody begins these questions, unless as many as the limits say were begun within a minute, or are still
   * under way. Of their questions that are over, those are forgotten that go beyond the newest so many bytes.
   */
  letIn(
    who: string,
    ids: readonly string[],
    limits: { perMinute: number; atOnce: number; bytes: number; keptMs: number },
  ): Promise<'ok' | 'too-fast' | 'too-many'>;
  inbox: InboxStore;
  /** Throws STORE_DOWN unless the store answers. */
  ping(): Promise<void>;
};

/** Requests that take a while to be read, such as a mention whose files have to be fetched: kept until they are through. */
export type InboxStore = {
  /** Keeps it; false where it came before, within `rememberMs`. Nobody else is handed it within `againMs`. */
  put(id: string, record: string, options: { againMs: number; rememberMs: number }): Promise<boolean>;
  /** Those that nobody got through with; each is handed to one caller, and again after `againMs`. */
  due(againMs: number): Promise<{ id: string; record: string }[]>;
  drop(id: string): Promise<void>;
};

/** Who waits where. Places are `app@env`. */
export type Line = { place: string; holder?: string; waiting: string[]; paceMs?: number };

export type OrderStore = {
  line(place: string): Promise<Line>;
  /** Every place where a run waits or is under way. */
  lines(): Promise<Line[]>;
  /** Runs that changed a place, newest first. */
  history(place: string, limit: number): Promise<Run[]>;
};

export type LockStore = {
  all(): Promise<Lock[]>;
  put(lock: Lock): Promise<void>;
  remove(scope: string): Promise<void>;
};

export type DelegationStore = {
  all(): Promise<Delegation[]>;
  put(delegation: Delegation): Promise<void>;
  remove(from: string): Promise<void>;
};

export type AuditStore = {
  /** Adds what is not part of a run, such as a request that was refused. */
  add(entry: AuditEntry): Promise<void>;
  /** Makes waiting entries part of the chain; answers with how many. Of several callers at once one succeeds. */
  seal(): Promise<number>;
  head(): Promise<AuditHead>;
  /** Records after number `after`, oldest first; with `newest`, the last ones. */
  read(options: { after?: number; newest?: boolean; limit: number }): Promise<AuditRecord[]>;
};

export type Clock = () => number;

/** Fixed strings as messages, data in fields (pino's shape). */
export type Log = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};
