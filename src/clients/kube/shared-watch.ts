import { Fault, fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kind, KindName } from '../../core/kinds.ts';
import type { Sight } from '../../core/kube.ts';
import { abortable } from './abortable.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { collectionPath, kindNamed } from './resources.ts';
import { keepCache } from './watch.ts';

/** A watch that nobody looks at any more ends after this long. */
const lingerMs = 60_000;

export type Look = {
  named: (name: string) => JsonObject | undefined;
  /** Those whose owner references name an object. */
  ownedBy: (owner: JsonObject) => readonly JsonObject[];
  /** Whether the picture is known to be the present one. */
  clear: () => boolean;
  release(): void;
};

/** `changed` after each change of the picture; `refused` where the API server does not let us watch at all. */
type Viewer = { changed: () => void; refused: (problem: RefusedCall) => void };

type Shared = {
  cache: Map<string, JsonObject>;
  /** The same by name and by owner: of 300 who look not each should go through all of it. Made when first asked for. */
  index?: Index;
  viewers: Set<Viewer>;
  end: AbortController;
  listed: boolean;
  /** Ends with the next attempt to list, however that ends. */
  attempt: PromiseWithResolvers<void>;
  /** Why it can't see at the moment. */
  problem?: unknown;
  asOf: number;
  leaving?: NodeJS.Timeout;
};

type Index = { byName: Map<string, JsonObject>; byOwner: Map<string, JsonObject[]> };

function indexOf({ cache }: Pick<Shared, 'cache'>): Index {
  const index: Index = { byName: new Map(), byOwner: new Map() };
  for (const object of cache.values()) {
    index.byName.set(text(at(object, 'metadata', 'name')), object);
    const references = at(object, 'metadata', 'ownerReferences');
    for (const reference of Array.isArray(references) ? references : []) {
      const owner = text(at(reference, 'uid'));
      const others = index.byOwner.get(owner);
      if (others) others.push(object);
      else index.byOwner.set(owner, [object]);
    }
  }
  return index;
}

/** What may not be seen any more is not shown as it was either. */
function hide(shared: Shared): void {
  shared.cache.clear();
  Object.assign(shared, { listed: false, index: undefined });
}

/** Nobody waits for it, and it was told no: whoever asks next asks anew, since they may have been let in meanwhile. */
const isRefused = ({ listed, viewers, problem }: Shared) =>
  !listed && viewers.size === 0 && problem instanceof RefusedCall;

/** One watch for each kind and namespace of a cluster, shared by all who look. */
export type Watches = {
  open(kind: KindName | Kind, namespace: string, viewer: Viewer): Look;
  look(kind: KindName | Kind, namespace: string, signal: AbortSignal): Promise<Sight>;
  close(): void;
};

/** The watches of one cluster. */
export function createWatches(connection: Connection): Watches {
  const watches = new Map<string, Shared>();

  const kindFor = (of: KindName | Kind): Kind => (typeof of === 'string' ? kindNamed(of) : of);
  const keyOf = ({ apiVersion, kind }: Kind, namespace: string) => `${apiVersion} ${kind} ${namespace}`;

  const begin = (kind: Kind, namespace: string, key: string): Shared => {
    const shared: Shared = {
      cache: new Map(),
      viewers: new Set(),
      end: new AbortController(),
      listed: false,
      attempt: Promise.withResolvers(),
      asOf: 0,
    };
    const on = {
      changed: () => {
        Object.assign(shared, { listed: true, problem: undefined, asOf: Date.now(), index: undefined });
        shared.attempt.resolve();
        for (const { changed } of shared.viewers) changed();
      },
      alive: () => {
        shared.asOf = Date.now();
      },
      failed: (problem: unknown) => {
        shared.problem = problem;
        const refused = problem instanceof RefusedCall ? problem : undefined;
        if (refused?.refusal.status === 403) hide(shared);
        shared.attempt.resolve();
        shared.attempt = Promise.withResolvers();
        if (refused) for (const viewer of shared.viewers) viewer.refused(refused);
      },
    };
    const whole = { apiVersion: kind.apiVersion, kind: kind.kind };
    const kept = { path: collectionPath(kind, namespace), query: {}, whole };
    void keepCache(connection, kept, shared.cache, on, shared.end.signal);
    watches.set(key, shared);
    return shared;
  };

  const open: Watches['open'] = (of, namespace, viewer) => {
    const kind = kindFor(of);
    const key = keyOf(kind, namespace);
    const known = watches.get(key);
    if (known && isRefused(known)) known.end.abort();
    clearTimeout(known?.leaving);
    const shared = known && !isRefused(known) ? known : begin(kind, namespace, key);
    shared.viewers.add(viewer);
    if (shared.listed) queueMicrotask(viewer.changed);
    const leave = () => {
      shared.end.abort();
      watches.delete(key);
    };
    const index = () => {
      shared.index ??= indexOf(shared);
      return shared.index;
    };
    return {
      named: (wanted) => index().byName.get(wanted),
      ownedBy: (owner) => index().byOwner.get(text(at(owner, 'metadata', 'uid'))) ?? [],
      clear: () => shared.listed && shared.problem === undefined,
      release: () => {
        shared.viewers.delete(viewer);
        if (shared.viewers.size > 0) return;
        shared.leaving = setTimeout(leave, lingerMs);
        shared.leaving.unref();
      },
    };
  };

  const look: Watches['look'] = async (of, namespace, signal) => {
    const view = open(of, namespace, { changed: () => {}, refused: () => {} });
    try {
      const shared = watches.get(keyOf(kindFor(of), namespace));
      const unreachable = (problem: string) => fault('CLUSTER_UNREACHABLE', { cluster: connection.cluster, problem });
      if (!shared) throw unreachable('the connection was closed');
      if (!shared.listed)
        await abortable(shared.attempt.promise, signal).catch(() => {
          throw unreachable('no answer in time');
        });
      const { listed, problem } = shared;
      if (!listed && (problem instanceof Fault || problem instanceof RefusedCall)) throw problem;
      if (!listed) throw unreachable(problem instanceof Error ? problem.message : 'no answer');
      return { objects: [...shared.cache.values()], asOf: view.clear() ? Date.now() : shared.asOf };
    } finally {
      view.release();
    }
  };

  return {
    open,
    look,
    close: () => {
      for (const { end, leaving } of watches.values()) {
        clearTimeout(leaving);
        end.abort();
      }
      watches.clear();
    },
  };
}
