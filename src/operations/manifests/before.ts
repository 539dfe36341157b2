import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { type Entries, entriesOf } from '../../core/list-entries.ts';
import type { ListTypes } from '../../core/list-types.ts';
import { ownedBy } from '../../core/ownership.ts';
import { asWritten } from './clean.ts';

/** What has to be applied so that an object is again as it was before a manifest was applied to it. */

/** Where the walk is, as the API's list types name it. */
type Here = { fields: readonly string[]; lists: ListTypes };
const into = ({ fields, lists }: Here, name: string): Here => ({ fields: [...fields, name], lists });

/** Both sides of a list by the API's own keys; undefined where they are one value each. */
function entriesHere({ fields, lists }: Here, one: readonly Json[], other: readonly Json[]): Entries | undefined {
  const type = lists(fields);
  const entries = entriesOf(type, one, other);
  return entries.keyed ? entries : undefined;
}

/** The part of `live` that `shape` speaks of, with the values that are there. */
function picked(here: Here, shape: Json, live: Json): Json {
  if (isObject(shape) && isObject(live)) {
    const part: JsonObject = {};
    for (const [name, wanted] of Object.entries(shape)) {
      const value = live[name];
      if (value !== undefined) part[name] = picked(into(here, name), wanted, value);
    }
    return part;
  }
  if (!Array.isArray(shape) || !Array.isArray(live)) return live;
  const entries = entriesHere(here, shape, live);
  if (!entries) return live;
  const type = here.lists(here.fields);
  const keys = type.kind === 'map' ? type.keys : [];
  return [...entries.to].flatMap(([label, entry]): Json[] => {
    const wanted = entries.from.get(label);
    if (wanted === undefined) return [];
    const part = picked(here, wanted, entry);
    if (!isObject(part)) return [part];
    const named = keys.flatMap((key): [string, Json][] => {
      const value = at(entry, key);
      return value === undefined ? [] : [[key, value]];
    });
    return [{ ...part, ...Object.fromEntries(named) }];
  });
}

/** Two parts of one and the same object together. */
function joined(here: Here, one: Json, other: Json): Json {
  if (isObject(one) && isObject(other)) {
    const both: JsonObject = { ...one };
    for (const [name, value] of Object.entries(other)) {
      const known = one[name];
      both[name] = known === undefined ? value : joined(into(here, name), known, value);
    }
    return both;
  }
  if (!Array.isArray(one) || !Array.isArray(other)) return other;
  const entries = entriesHere(here, one, other);
  if (!entries) return other;
  return [
    ...[...entries.from].map(([label, entry]) => {
      const same = entries.to.get(label);
      return same === undefined ? entry : joined(here, entry, same);
    }),
    ...[...entries.to].flatMap(([label, entry]) => (entries.from.has(label) ? [] : [entry])),
  ];
}

/**
 * The manifest that leads back: what Shipmate owns already, as it is, and what the new manifest is about to change, as it
 * is. What the new one adds is not in it, so applying it takes that away again.
 */
export function asBefore(live: JsonObject, manifest: JsonObject, lists: ListTypes): JsonObject {
  const owned = ownedBy('shipmate', live);
  const here: Here = { fields: [], lists };
  const back = joined(here, owned, picked(here, manifest, live));
  return withoutMarks(isObject(back) ? back : owned);
}

function withoutMarks(object: JsonObject): JsonObject {
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  const own = Object.entries(annotations).filter(([name]) => !/^shipmate\.dev\/(run|apply)$/.test(name));
  return { ...object, metadata: { ...metadata, annotations: Object.fromEntries(own) } };
}

/** A deleted object can be made anew; not with a Secret's values, which are not kept, nor with a volume's data. */
export function asDeleted(live: JsonObject): JsonObject | undefined {
  return live.kind === 'Secret' || live.kind === 'PersistentVolumeClaim' ? undefined : asWritten(live);
}
