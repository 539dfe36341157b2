import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';

/** Parts of raw JSON as what they ought to be; empty where they are something else. */
export const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
export const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const nameIn = (object: JsonObject | undefined): string => text(at(object, 'metadata', 'name'));

/** The moment that a field holds, in ms since the epoch; undefined where it holds none. */
export function momentIn(value: Json | undefined): number | undefined {
  const ms = Date.parse(text(value));
  return Number.isNaN(ms) ? undefined : ms;
}

/** One of the conditions in an object's status. */
export const condition = (object: JsonObject, type: string): JsonObject | undefined =>
  list(at(object, 'status', 'conditions')).find((entry) => entry.type === type);
