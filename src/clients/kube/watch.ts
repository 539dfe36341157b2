import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { linesOf } from '../../core/lines.ts';
import type { Connection } from './connection.ts';

const WatchLine = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.record(z.string(), z.json()),
});

/** The API server ends a watch after this long; bookmarks come about once a minute. */
const watchSeconds = 240;
/** A rollout is looked at afresh at least this often: a half-open connection is silent for ever. */
const staleMs = 10_000;
const againMs = 500;

export type Kept = { path: string; query: Record<string, string> };

type Cache = Map<string, JsonObject>;
const uidOf = (object: JsonObject) => String(at(object, 'metadata', 'uid') ?? at(object, 'metadata', 'name') ?? '');

/** Lists all pages, with the version that a watch goes on from. List items lack kind and apiVersion: nobody here needs them. */
async function listAll(
  connection: Connection,
  { path, query }: Kept,
  signal: AbortSignal,
): Promise<{ items: JsonObject[]; version: string }> {
  const items: JsonObject[] = [];
  let next = '';
  for (;;) {
    const page = await connection.call({
      method: 'GET',
      path,
      query: { ...query, limit: '500', ...(next && { continue: next }) },
      signal,
    });
    const found = page.items;
    if (Array.isArray(found)) items.push(...found.filter(isObject));
    next = String(at(page, 'metadata', 'continue') ?? '');
    if (next === '') return { items, version: String(at(page, 'metadata', 'resourceVersion') ?? '') };
  }
}

function take(cache: Cache, line: string): boolean {
  const { type, object } = WatchLine.parse(JSON.parse(line));
  if (type === 'ERROR') throw new Error(`watch ended: ${String(object.message ?? object.code ?? '')}`);
  if (type === 'BOOKMARK') return false;
  if (type === 'DELETED') cache.delete(uidOf(object));
  else cache.set(uidOf(object), object);
  return true;
}

async function watchOnce(
  connection: Connection,
  kept: Kept,
  version: string,
  cache: Cache,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  const query = {
    ...kept.query,
    watch: 'true',
    resourceVersion: version,
    allowWatchBookmarks: 'true',
    timeoutSeconds: `${watchSeconds}`,
  };
  const stale = new AbortController();
  let timer = setTimeout(() => stale.abort(), staleMs);
  try {
    const both = AbortSignal.any([signal, stale.signal]);
    const stream = await connection.stream({ path: kept.path, query, signal: both });
    for await (const line of linesOf(stream)) {
      clearTimeout(timer);
      timer = setTimeout(() => stale.abort(), staleMs);
      if (line !== '' && take(cache, line)) changed();
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Keeps `cache` true to what `kept` lists, until `signal`: lists, watches, and begins anew whenever the watch ends, breaks,
 * brings garbage, is too old (410), or falls silent. `changed` is called after each change; `failed` when listing did not work.
 */
export async function keepCache(
  connection: Connection,
  kept: Kept,
  cache: Cache,
  on: { changed: () => void; failed: (problem: unknown) => void },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { items, version } = await listAll(connection, kept, signal);
      cache.clear();
      for (const item of items) cache.set(uidOf(item), item);
      on.changed();
      await watchOnce(connection, kept, version, cache, on.changed, signal);
    } catch (problem) {
      if (signal.aborted) return;
      on.failed(problem);
      await sleep(againMs, undefined, { signal }).catch(() => {});
    }
  }
}
