import { createHash } from 'node:crypto';
import { z } from 'zod';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Nobody nests so deeply, and what is nested a thousand times more ends whoever walks through it: a call for each level. */
const mostLevels = 500;

function isJson(value: unknown, levels = mostLevels): value is Json {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value !== 'object' || levels === 0) return false;
  return (Array.isArray(value) ? value : Object.values(value)).every((each) => isJson(each, levels - 1));
}

/** Whether a text of JSON is nested more deeply than any that is taken; found out without reading it as JSON. */
export function isTooDeep(text: string): boolean {
  let [levels, quoted] = [0, false];
  for (let n = 0; n < text.length; n++) {
    const letter = text[n];
    if (quoted && letter === '\\') n += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && (letter === '[' || letter === '{')) levels += 1;
    else if (!quoted && (letter === ']' || letter === '}')) levels -= 1;
    if (levels > mostLevels) return true;
  }
  return false;
}

/** Any JSON. By hand: `z.json()` takes ten times as long, and a run's manifest is large. */
export const Json = z.custom<Json>((value) => isJson(value));

/** An object as the Kubernetes API speaks it: raw, so that no field is lost that this program doesn't know. */
export type JsonObject = { [key: string]: Json };
export const JsonObject = z.custom<JsonObject>((value) => isObject(value) && isJson(value), 'must be a JSON object');

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text, or an empty one where it is none. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Any JSON in a few words. `String` would call what an object from outside has under `toString`. */
export const inWords = (value: Json | undefined): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

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
