import { isObject, type JsonObject } from './json.ts';
import { runAnnotation } from './lost-run.ts';

/** What the API server writes by itself, and takes from nobody. */
const serverOwn = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink']);

/** Which apply of a run it was: a run may change an object more than once. */
export const applyAnnotation = 'shipmate.dev/apply';
/** Each write bears them, and no dry run does. */
const marks = new Set([runAnnotation, applyAnnotation]);

function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}

/**
 * An object without what the API server itself writes into it, and without the marks of runs. All else counts, whoever
 * wrote it: this is what is compared, shown and bound.
 */
export function settled(object: JsonObject): JsonObject {
  const { metadata, ...rest } = object;
  if (!isObject(metadata)) return object;
  const { annotations, ...own } = without(metadata, serverOwn);
  const others = isObject(annotations) ? without(annotations, marks) : {};
  const left = { ...own, ...(Object.keys(others).length > 0 && { annotations: others }) };
  return { ...rest, ...(Object.keys(left).length > 0 && { metadata: left }) };
}
