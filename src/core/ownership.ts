import { at, isObject, type Json, type JsonObject } from './json.ts';

/**
 * Server-side apply removes a field that its manager applied before and leaves out now. So whoever changes
 * one field must send all that it owns. These functions read, from `metadata.managedFields`, what that is.
 * The format is FieldsV1: `f:name` a field, `k:{…}` a list entry by its keys, `v:…` a value of a set, `.` the thing itself.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */

function entryByKeys(list: readonly Json[], keys: JsonObject): Json | undefined {
  return list.find((entry) => isObject(entry) && Object.entries(keys).every(([key, value]) => entry[key] === value));
}

function ownedList(fields: JsonObject, live: readonly Json[]): Json[] {
  return Object.entries(fields).flatMap(([field, below]) => {
    if (field.startsWith('k:')) {
      const keys: unknown = JSON.parse(field.slice(2));
      const entry = isObject(keys) ? entryByKeys(live, keys) : undefined;
      if (!isObject(keys) || !isObject(entry)) return [];
      const owned = isObject(below) ? ownedPart(below, entry) : entry;
      return [isObject(owned) ? { ...keys, ...owned } : keys];
    }
    if (field.startsWith('v:')) {
      const value: unknown = JSON.parse(field.slice(2));
      return live.filter((entry) => entry === value);
    }
    return [];
  });
}

function ownedPart(fields: JsonObject, live: Json): Json {
  const named = Object.keys(fields).filter((field) => field !== '.');
  if (named.length === 0) return live;
  if (Array.isArray(live)) return ownedList(fields, live);
  if (!isObject(live)) return live;
  const owned: JsonObject = {};
  for (const field of named) {
    const name = field.slice(2);
    const value = live[name];
    const below = fields[field];
    if (field.startsWith('f:') && value !== undefined) owned[name] = isObject(below) ? ownedPart(below, value) : value;
  }
  return owned;
}

/**
 * The fields that `manager` owns by server-side apply in `live`, as an object that can be applied again as it is.
 * `values` gives the values where they are not to come from `live` itself (an earlier revision, say).
 */
export function ownedBy(manager: string, live: JsonObject, values: JsonObject = live): JsonObject {
  const entries = at(live, 'metadata', 'managedFields');
  const identity = { apiVersion: live.apiVersion ?? '', kind: live.kind ?? '' };
  const metadata = { name: at(live, 'metadata', 'name') ?? '', namespace: at(live, 'metadata', 'namespace') ?? '' };
  const ours = (Array.isArray(entries) ? entries : []).find(
    (entry) => isObject(entry) && entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
  const fields = at(ours, 'fieldsV1');
  const owned = isObject(fields) ? ownedPart(fields, values) : {};
  const body = isObject(owned) ? owned : {};
  return { ...identity, ...body, metadata: { ...(isObject(body.metadata) ? body.metadata : {}), ...metadata } };
}

/**
 * `base` with `change` laid over it: objects are merged, list entries that bear a `name` are merged by it,
 * everything else is replaced.
 */
export function overlay(base: Json | undefined, change: Json): Json {
  if (isObject(base) && isObject(change)) {
    const merged: JsonObject = { ...base };
    for (const [key, value] of Object.entries(change)) merged[key] = overlay(base[key], value);
    return merged;
  }
  if (Array.isArray(base) && Array.isArray(change)) {
    const named = (list: readonly Json[]) => list.every((entry) => isObject(entry) && typeof entry.name === 'string');
    if (!named(base) || !named(change)) return change;
    const called = (list: readonly Json[], name: Json | undefined) => list.find((entry) => at(entry, 'name') === name);
    return [
      ...base.map((entry) => {
        const changed = called(change, at(entry, 'name'));
        return changed === undefined ? entry : overlay(entry, changed);
      }),
      ...change.filter((entry) => called(base, at(entry, 'name')) === undefined),
    ];
  }
  return change;
}
