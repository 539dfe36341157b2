import { at, isObject, type Json } from '../../core/json.ts';

/** Whether all that is wanted is there. Harbor adds fields of its own, and leaves out those that are false, 0 or empty. */
export function holds(found: Json | undefined, wanted: Json): boolean {
  if (isObject(wanted)) return Object.entries(wanted).every(([key, value]) => holds(at(found, key), value));
  if (!Array.isArray(wanted)) return found === wanted || (found === undefined && !wanted);
  const all = Array.isArray(found) ? found : [];
  return all.length === wanted.length && wanted.every((value, index) => holds(all[index], value));
}
