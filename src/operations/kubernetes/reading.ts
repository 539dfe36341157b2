import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';

/** How objects are read into the words of a table. */

export const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const words = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
export const entries = (value: Json | undefined): [string, string][] =>
  isObject(value)
    ? Object.entries(value).map(([key, each]) => [key, typeof each === 'string' ? each : String(each)])
    : [];

export const nameIn = (object: JsonObject): string => text(at(object, 'metadata', 'name'));
export const byName = (a: JsonObject, b: JsonObject): number => nameIn(a).localeCompare(nameIn(b));

/** How long ago a moment of the API was: `3 d`; empty where there is none. */
export function since(moment: Json | undefined, now: number): string {
  const ms = now - Date.parse(text(moment));
  if (!Number.isFinite(ms)) return '';
  return ms < 172_800_000 ? spanText(Math.max(0, ms)) : `${Math.floor(ms / 86_400_000)} d`;
}

/** How long an object has been there. */
export const ageOf = (object: JsonObject, now: number): string =>
  since(at(object, 'metadata', 'creationTimestamp'), now);

/** A size in bytes as people read it: `830 B`, `12.4 KiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** `a=1, b=2`. */
export const labelsText = (labels: Json | undefined): string =>
  entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');

/** Whether an object bears all labels of a selector; an empty selector fits nothing here. */
export function hasLabels(object: JsonObject, wanted: Json | undefined, ...path: string[]): boolean {
  const labels = at(object, ...path, 'metadata', 'labels');
  const pairs = entries(wanted);
  return pairs.length > 0 && pairs.every(([key, value]) => at(labels, key) === value);
}

/** Whether something else made and keeps the object. */
export const isKept = (object: JsonObject): boolean =>
  list(at(object, 'metadata', 'ownerReferences')).some(({ controller }) => controller === true);

/** The pods that an object is, or makes. */
export const podSpecOf = (object: JsonObject): Json | undefined => {
  if (object.kind === 'Pod') return object.spec;
  const template = at(object, 'spec', 'template') ?? at(object, 'spec', 'jobTemplate', 'spec', 'template');
  return at(template, 'spec');
};
