import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { KindName } from '../../core/kinds.ts';
import type { Sight } from '../../core/kube.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { collectionPath, kindNamed } from './resources.ts';
import { keepCache } from './watch.ts';

/** A watch that nobody looks at any more ends after this long. */
const lingerMs = 60_000;
/** How long the first listing may take before whoever looks is told. */
const firstMs = 20_000;

export type Look = {
  objects: () => readonly JsonObject[];
  /** Whether the picture is known to be the present one. */
  clear: () => boolean;
  release(): void;
};

/** `changed` after each change of the picture; `refused` where the API server does not let us watch at all. */
type Viewer = { changed: () => void; refused: (problem: RefusedCall) => void };

type Shared = {
  cache: Map<string, JsonObject>;
  viewers: Set<Viewer>;
  end: AbortController;
  listed: boolean;
  /** Why it can't see at the moment. */
  problem?: unknown;
  asOf: number;
  leaving?: NodeJS.Timeout;
};

/** One watch for each kind and namespace of a cluster, shared by all who look. */
export type Watches = {
  open(kind: KindName, namespace: string, viewer: Viewer): Look;
  look(kind: KindName, namespace: string, signal: AbortSignal): Promise<Sight>;
  close(): void;
};

/** The watches of one cluster. */
export function createWatches(connection: Connection): Watches {
  const watches = new Map<string, Shared>();

  const begin = (name: KindName, namespace: string, key: string): Shared => {
    const kind = kindNamed(name);
    const shared: Shared = { cache: new Map(), viewers: new Set(), end: new AbortController(), listed: false, asOf: 0 };
    const on = {
      changed: () => {
        Object.assign(shared, { listed: true, problem: undefined, asOf: Date.now() });
        for (const { changed } of shared.viewers) changed();
      },
      alive: () => {
        shared.asOf = Date.now();
      },
      failed: (problem: unknown) => {
        shared.problem = problem;
        if (problem instanceof RefusedCall) for (const { refused } of shared.viewers) refused(problem);
      },
    };
    const whole = { apiVersion: kind.apiVersion, kind: kind.kind };
    const kept = { path: collectionPath(kind, namespace), query: {}, whole };
    void keepCache(connection, kept, shared.cache, on, shared.end.signal);
    watches.set(key, shared);
    return shared;
  };

  const open: Watches['open'] = (name, namespace, viewer) => {
    const key = `${name} ${namespace}`;
    const shared = watches.get(key) ?? begin(name, namespace, key);
    clearTimeout(shared.leaving);
    shared.viewers.add(viewer);
    if (shared.listed) queueMicrotask(viewer.changed);
    const leave = () => {
      shared.end.abort();
      watches.delete(key);
    };
    return {
      objects: () => [...shared.cache.values()],
      clear: () => shared.listed && shared.problem === undefined,
      release: () => {
        shared.viewers.delete(viewer);
        if (shared.viewers.size > 0) return;
        shared.leaving = setTimeout(leave, lingerMs);
        shared.leaving.unref();
      },
    };
  };

  const look: Watches['look'] = async (name, namespace, signal) => {
    const first = Promise.withResolvers<void>();
    const view = open(name, namespace, { changed: first.resolve, refused: first.reject });
    try {
      const shared = watches.get(`${name} ${namespace}`);
      const over = AbortSignal.any([signal, AbortSignal.timeout(firstMs)]);
      const waited = sleep(firstMs + 1_000, undefined, { signal: over, ref: false }).catch(() => {});
      if (!shared?.listed) await Promise.race([first.promise, waited]);
      if (!shared?.listed) {
        const problem = shared?.problem instanceof Error ? shared.problem.message : 'no answer in time';
        throw fault('CLUSTER_UNREACHABLE', { cluster: connection.cluster, problem });
      }
      return { objects: view.objects(), asOf: view.clear() ? Date.now() : shared.asOf };
    } finally {
      first.promise.catch(() => {});
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
