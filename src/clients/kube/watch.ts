import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { linesOf } from '../../core/lines.ts';
import { either } from '../../core/within.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { slim } from './slim.ts';

const WatchLine = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.record(z.string(), z.json()),
});

/** The API server ends a watch after this long; bookmarks come about once a minute. */
const watchSeconds = 240;
/** A rollout is looked at afresh at least this often: a half-open connection is silent for ever. */
const staleMs = 10_000;
/** Small enough that a page is not what most of the memory goes to. */
export const pageOf = 250;
const againMs = { first: 500, most: 4_000, refused: 10_000 };

/** What to keep: a collection, and the `apiVersion` and `kind` that its items lack. */
export type Kept = { path: string; query: Record<string, string>; whole: JsonObject };

type Cache = Map<string, JsonObject>;
const uidOf = (object: JsonObject) => String(at(object, 'metadata', 'uid') ?? at(object, 'metadata', 'name') ?? '');

/**
 * Lists all pages, with the version that a watch goes on from; items get the kind that lists leave out. `keep` makes of each
 * what is kept of it, a page at a time, so that the rest of it is gone before the next page comes.
 */
export async function listAll(
  connection: Connection,
  { path, query, whole }: Kept,
  signal: AbortSignal,
  keep: (object: JsonObject) => JsonObject = (object) => object,
): Promise<{ items: JsonObject[]; version: string }> {
  const items: JsonObject[] = [];
  let next = '';
  for (;;) {
    const page = await connection.call({
      method: 'GET',
      path,
      query: { ...query, limit: String(pageOf), ...(next && { continue: next }) },
      signal,
    });
    const found = page.items;
    if (Array.isArray(found)) items.push(...found.filter(isObject).map((item) => keep({ ...whole, ...item })));
    next = String(at(page, 'metadata', 'continue') ?? '');
    if (next === '') return { items, version: String(at(page, 'metadata', 'resourceVersion') ?? '') };
  }
}

function take(cache: Cache, line: string, whole: JsonObject): boolean {
  const { type, object } = WatchLine.parse(JSON.parse(line));
  if (type === 'ERROR') throw new Error(`watch ended: ${String(object.message ?? object.code ?? '')}`);
  if (type === 'BOOKMARK') return false;
  if (type === 'DELETED') cache.delete(uidOf(object));
  else cache.set(uidOf(object), slim({ ...whole, ...object }));
  return true;
}

type Listener = { changed: () => void; alive: () => void; failed: (problem: unknown) => void };

async function watchOnce(
  connection: Connection,
  what: Kept,
  version: string,
  cache: Cache,
  on: Listener,
  signal: AbortSignal,
): Promise<void> {
  const query = {
    ...what.query,
    watch: 'true',
    resourceVersion: version,
    allowWatchBookmarks: 'true',
    timeoutSeconds: `${watchSeconds}`,
  };
  const stale = new AbortController();
  let timer = setTimeout(() => stale.abort(), staleMs);
  try {
    const both = either(signal, stale.signal);
    const stream = await connection.stream({ path: what.path, query, signal: both });
    for await (const line of linesOf(stream)) {
      clearTimeout(timer);
      timer = setTimeout(() => stale.abort(), staleMs);
      if (line === '') continue;
      if (take(cache, line, what.whole)) on.changed();
      else on.alive();
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Keeps `cache` true to what `what` lists, until `signal`: lists, watches, and begins anew whenever the watch ends, breaks,
 * brings garbage, is too old (410), or falls silent. `changed` is called after each change, `alive` when the API server says
 * that there was none; `failed` when listing or watching did not work.
 */
export async function keepCache(
  connection: Connection,
  what: Kept,
  cache: Cache,
  on: Listener,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      const { items, version } = await listAll(connection, what, signal, slim);
      cache.clear();
      for (const item of items) cache.set(uidOf(item), item);
      failures = 0;
      on.changed();
      await watchOnce(connection, what, version, cache, on, signal);
    } catch (problem) {
      if (signal.aborted) return;
      on.failed(problem);
      const wait = Math.min(againMs.first * 2 ** failures++, againMs.most);
      const refused = problem instanceof RefusedCall;
      await sleep(refused ? againMs.refused : wait, undefined, { signal }).catch(() => {});
    }
  }
}
