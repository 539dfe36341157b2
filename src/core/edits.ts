import { z } from 'zod';
import { at, digestOf, isObject, Json, type JsonObject } from './json.ts';

/**
 * Single fields of somebody else's object. A merge patch would replace whole lists with what they were when the patch was
 * made; an edit names the field inside the list, and what it must still be.
 */

/** A field by name, an entry of a list by number, or the entry that has these fields: `['spec', 'http', { name: 'main' }]`. */
const Step = z.union([z.string(), z.number(), z.record(z.string(), Json)]);
export type EditStep = z.output<typeof Step>;

export const Edit = z.object({
  path: z.array(Step).min(1),
  /** What it is before; left out, it is not there. */
  from: Json.optional(),
  /** What it is to be; left out, it is taken away. The same as `from`: it is only looked at. */
  to: Json.optional(),
  /** Of an entry that is not there: the entry that it goes before. */
  before: Step.optional(),
});
export type Edit = z.output<typeof Edit>;

export const same = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : digestOf(a) === digestOf(b);

const hasAll = (entry: Json, wanted: JsonObject) =>
  isObject(entry) && Object.entries(wanted).every(([key, value]) => same(entry[key], value));

const indexIn = (list: readonly Json[], step: EditStep): number =>
  typeof step === 'number' ? step : isObject(step) ? list.findIndex((entry) => hasAll(entry, step)) : -1;

/** What is there now. */
export function valueAt(object: Json | undefined, path: readonly EditStep[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (here, step) =>
      Array.isArray(here) ? here[indexIn(here, step)] : typeof step === 'string' ? at(here, step) : undefined,
    object,
  );
}

function inList(list: readonly Json[], [step = 0, ...rest]: readonly EditStep[], edit: Edit): Json[] {
  const index = indexIn(list, step);
  const old = list[index];
  const value = rest.length === 0 ? edit.to : changed(old, rest, edit);
  if (old !== undefined) return value === undefined ? list.toSpliced(index, 1) : list.with(index, value);
  if (value === undefined) return [...list];
  const place = edit.before === undefined ? -1 : indexIn(list, edit.before);
  return list.toSpliced(place < 0 ? list.length : place, 0, value);
}

/** An object that is left with nothing goes too: `retries: {}` would mean something else than no retries. */
function inObject(object: JsonObject, [step = '', ...rest]: readonly EditStep[], edit: Edit): JsonObject | undefined {
  const { [String(step)]: old, ...others } = object;
  const value = rest.length === 0 ? edit.to : changed(old, rest, edit);
  const all = value === undefined ? others : { ...object, [String(step)]: value };
  return Object.keys(all).length === 0 ? undefined : all;
}

function changed(here: Json | undefined, path: readonly EditStep[], edit: Edit): Json | undefined {
  if (Array.isArray(here)) return inList(here, path, edit);
  if (here === undefined && edit.to === undefined) return undefined;
  if (here === undefined && typeof path[0] === 'object') return inList([], path, edit);
  return inObject(isObject(here) ? here : {}, path, edit);
}

/** The object with the edits made, in their order. */
export function edited(object: JsonObject, edits: readonly Edit[]): JsonObject {
  return edits.reduce((sofar, edit) => inObject(sofar, edit.path, edit) ?? {}, object);
}

/** The first edit that does not fit what is there now; those that are made already do. */
export const misfit = (object: JsonObject, edits: readonly Edit[]): Edit | undefined =>
  edits.find(({ path, from, to }) => {
    const now = valueAt(object, path);
    return !same(now, from) && !same(now, to);
  });

/** Whether all is as it is to be. */
export const isDone = (object: JsonObject, edits: readonly Edit[]): boolean =>
  edits.every(({ path, to }) => same(valueAt(object, path), to));

const stepText = (step: EditStep): string => {
  if (typeof step === 'string') return /^[\w-]+$/.test(step) ? `.${step}` : `[${step}]`;
  if (typeof step === 'number') return `[${step}]`;
  return `[${Object.values(step)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(',')}]`;
};

/** `spec.http[main].timeout`. */
export const pathText = (path: readonly EditStep[]): string => path.map(stepText).join('').replace(/^\./, '');
