import { keyOf } from '../../core/diff.ts';
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { ownedBy } from '../../core/ownership.ts';
import { asWritten } from './clean.ts';

/** What has to be applied so that an object is again as it was before a manifest was applied to it. */

const idOf = (entry: Json, key: string) => String(at(entry, key));

/** The part of `live` that `shape` speaks of, with the values that are there. */
function picked(shape: Json, live: Json): Json {
  if (isObject(shape) && isObject(live)) {
    const part: JsonObject = {};
    for (const [name, wanted] of Object.entries(shape)) {
      const value = live[name];
      if (value !== undefined) part[name] = picked(wanted, value);
    }
    return part;
  }
  if (!Array.isArray(shape) || !Array.isArray(live)) return live;
  const key = keyOf([...shape, ...live]);
  if (key === undefined) return live;
  return live.flatMap((entry) => {
    const wanted = shape.find((each) => idOf(each, key) === idOf(entry, key));
    return wanted === undefined ? [] : [{ ...Object(picked(wanted, entry)), [key]: at(entry, key) }];
  });
}

/** Two parts of one and the same object together. */
function joined(one: Json, other: Json): Json {
  if (isObject(one) && isObject(other)) {
    const both: JsonObject = { ...one };
    for (const [name, value] of Object.entries(other)) {
      const known = one[name];
      both[name] = known === undefined ? value : joined(known, value);
    }
    return both;
  }
  if (!Array.isArray(one) || !Array.isArray(other)) return other;
  const key = keyOf([...one, ...other]);
  if (key === undefined) return other;
  const twin = (list: readonly Json[], entry: Json) => list.find((each) => idOf(each, key) === idOf(entry, key));
  return [
    ...one.map((entry) => {
      const same = twin(other, entry);
      return same === undefined ? entry : joined(entry, same);
    }),
    ...other.filter((entry) => twin(one, entry) === undefined),
  ];
}

/**
 * The manifest that leads back: what Shipmate owns already, as it is, and what the new manifest is about to change, as it
 * is. What the new one adds is not in it, so applying it takes that away again.
 */
export function asBefore(live: JsonObject, manifest: JsonObject): JsonObject {
  const owned = ownedBy('shipmate', live);
  const back = joined(owned, picked(manifest, live));
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
