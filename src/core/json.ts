import { createHash } from 'node:crypto';
import { z } from 'zod';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

function isJson(value: unknown): value is Json {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value !== 'object') return false;
  return Array.isArray(value) ? value.every(isJson) : Object.values(value).every(isJson);
}

/** Any JSON. By hand: `z.json()` takes ten times as long, and a run's manifest is large. */
export const Json = z.custom<Json>(isJson);

/** An object as the Kubernetes API speaks it: raw, so that no field is lost that this program doesn't know. */
export type JsonObject = { [key: string]: Json };
export const JsonObject = z.custom<JsonObject>((value) => isObject(value) && isJson(value), 'must be a JSON object');

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text, or an empty one where it is none. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Walks `path`; undefined where it ends early. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(here) && typeof key === 'number') here = here[key];
    else if (isObject(here) && typeof key === 'string') here = here[key];
    else return undefined;
  }
  return here;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry)]));
}

/** SHA-256 over the value's canonical JSON (keys sorted), as hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex');
}
