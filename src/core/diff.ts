import { isObject, type Json, type JsonObject, text } from './json.ts';
import { entriesOf, labelText, orderText } from './list-entries.ts';
import type { ListTypes } from './list-types.ts';
import { mask, soundsSecret } from './secret-names.ts';
import { settled } from './settled.ts';

/** One difference, at a path such as `spec.template.spec.containers[web].image`; undefined is "not there". */
export type Difference = { path: string; from?: Json; to?: Json };

/** kubectl keeps a copy of the whole manifest in it, values and all. */
const copy = 'kubectl.kubernetes.io/last-applied-configuration';

/** Where the walk is: for people, for the API's list types, and whether the values are secret from here on. */
type Here = { path: string; fields: readonly string[]; hidden: boolean; ofSecret: boolean; lists: ListTypes };

type Sides<Kind> = { from: Kind | undefined; to: Kind | undefined };

/** That two hidden values differ is seen, though not how. */
function leaf({ path, hidden }: Here, from: Json | undefined, to: Json | undefined): Difference {
  const shown = from === undefined ? mask : `${mask} (changed)`;
  return {
    path,
    ...(from !== undefined && { from: hidden ? mask : from }),
    ...(to !== undefined && { to: hidden ? shown : to }),
  };
}

/** An empty object or list says something as well (`podSelector: {}`): it is shown where no field below it tells of it. */
function empties(here: Here, from: Json | undefined, to: Json | undefined): Difference[] {
  const isEmpty = (value: Json | undefined) =>
    value !== undefined && (Array.isArray(value) ? value : Object.keys(Object(value))).length === 0;
  if (isEmpty(to) && !isEmpty(from)) return [leaf({ ...here, hidden: false }, undefined, to)];
  if (isEmpty(from) && to === undefined) return [leaf({ ...here, hidden: false }, from, undefined)];
  return [];
}

/** Values of environment variables that sound like secrets are never shown, not even to approvers. */
function hides({ fields, ofSecret }: Here, key: string, { from, to }: Sides<JsonObject>): boolean {
  if (ofSecret && fields.length === 0) return key === 'data' || key === 'stringData';
  if (fields.length === 2 && fields[0] === 'metadata' && fields[1] === 'annotations') return key === copy;
  return fields.at(-1) === 'env' && key === 'value' && [from, to].some((side) => soundsSecret(text(side?.name)));
}

function compareObjects(here: Here, { from, to }: Sides<JsonObject>): Difference[] {
  const keys = new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})]);
  const inside = [...keys].flatMap((key) =>
    compare(
      {
        ...here,
        path: here.path === '' ? labelText(key) : `${here.path}.${labelText(key)}`,
        fields: [...here.fields, key],
        hidden: here.hidden || hides(here, key, { from, to }),
      },
      Object.hasOwn(from ?? {}, key) ? from?.[key] : undefined,
      Object.hasOwn(to ?? {}, key) ? to?.[key] : undefined,
    ),
  );
  return [...inside, ...empties(here, from, to)];
}

function compareLists(here: Here, { from, to }: Sides<readonly Json[]>): Difference[] {
  const entries = entriesOf(here.lists(here.fields), from ?? [], to ?? []);
  const inside = [...new Set([...entries.from.keys(), ...entries.to.keys()])].flatMap((label) =>
    compare({ ...here, path: `${here.path}[${labelText(label)}]` }, entries.from.get(label), entries.to.get(label)),
  );
  const order = entries.moved ? [{ path: `${here.path}${orderText}`, ...entries.moved }] : [];
  return [...inside, ...order, ...empties(here, from && [...from], to && [...to])];
}

const kindOf = (value: Json | undefined) =>
  value === undefined ? 'nothing' : Array.isArray(value) ? 'list' : isObject(value) ? 'object' : 'value';

function compare(here: Here, from: Json | undefined, to: Json | undefined): Difference[] {
  const kinds = new Set([kindOf(from), kindOf(to)].filter((kind) => kind !== 'nothing'));
  // What becomes another kind of thing goes first, and then comes.
  if (kinds.size === 2) return [...compare(here, from, undefined), ...compare(here, undefined, to)];
  if (kinds.has('object'))
    return compareObjects(here, { from: isObject(from) ? from : undefined, to: isObject(to) ? to : undefined });
  if (kinds.has('list'))
    return compareLists(here, { from: Array.isArray(from) ? from : undefined, to: Array.isArray(to) ? to : undefined });
  return from === to ? [] : [leaf(here, from, to)];
}

/** What names an object is said elsewhere: in the diff of a new one it would only be in the way. */
const identity = new Set(['apiVersion', 'kind', 'metadata.name', 'metadata.namespace']);

/**
 * All that differs between two states of an object, leaf by leaf: who has `before` and these has `after`. Only what the API
 * server writes by itself is left out (see `settled`). Secret values are masked.
 */
export function differences(before: JsonObject | undefined, after: JsonObject, lists: ListTypes): Difference[] {
  const ofSecret = [before?.kind, after.kind].includes('Secret');
  const here: Here = { path: '', fields: [], hidden: false, ofSecret, lists };
  const found = compareObjects(here, { from: settled(before ?? {}), to: settled(after) });
  return found.filter(({ path, from }) => from !== undefined || !identity.has(path));
}
