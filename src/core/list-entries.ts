import { isObject, type Json } from './json.ts';
import type { ListType } from './list-types.ts';

/** Both sides of a list by what tells their entries apart, and their orders where entries that stay, stay elsewhere. */
export type Entries = {
  from: ReadonlyMap<string, Json>;
  to: ReadonlyMap<string, Json>;
  moved?: { from: string[]; to: string[] };
  /** Whether it is the API's own keys that tell them apart, and not their places. */
  keyed: boolean;
};

/** Stands at the end of the path of a list whose entries are in another order. */
export const orderText = ' (order)';

/** As it is, unless it would break a line or turn its direction: then a reader of the lines would see what is not there. */
export const labelText = (label: string): string =>
  /[\p{C}\p{Zl}\p{Zp}]/u.test(label) ? JSON.stringify(label) : label;

const byPlace = (list: readonly Json[]) => new Map(list.map((entry, index) => [String(index), entry]));

const isPlain = (value: Json | undefined) => value !== undefined && value !== null && typeof value !== 'object';

/** The text of some fields of an entry; undefined where the first of them is not there. */
function labelBy(keys: readonly string[], entry: Json): string | undefined {
  if (!isObject(entry) || !keys.every((key) => entry[key] === undefined || isPlain(entry[key]))) return undefined;
  const [first = ''] = keys;
  if (entry[first] === undefined || entry[first] === '') return undefined;
  return keys.flatMap((key) => (entry[key] === undefined ? [] : [String(entry[key])])).join(',');
}

/** The list by its labels; undefined where one is missing or there twice. */
function labelled(list: readonly Json[], labelOf: (entry: Json) => string | undefined): Map<string, Json> | undefined {
  const found = new Map<string, Json>();
  for (const entry of list) {
    const label = labelOf(entry);
    if (label === undefined || found.has(label)) return undefined;
    found.set(label, entry);
  }
  return found;
}

/** The ways to label the entries of a list, the shortest first: a port by its number, or by number and protocol. */
function waysOf(type: ListType): ((entry: Json) => string | undefined)[] {
  switch (type.kind) {
    case 'map':
      return type.keys.map((_, index) => (entry: Json) => labelBy(type.keys.slice(0, index + 1), entry));
    case 'set':
      return [(entry: Json) => (isPlain(entry) ? String(entry) : undefined)];
    case 'atomic':
      return [];
    default:
      return type satisfies never;
  }
}

/** Without word of it, what stays keeps its order, and what comes, comes last. */
function movedIn(from: ReadonlyMap<string, Json>, to: ReadonlyMap<string, Json>): Entries['moved'] {
  const [before, after] = [[...from.keys()], [...to.keys()]];
  const expected = [...before.filter((label) => to.has(label)), ...after.filter((label) => !from.has(label))];
  return expected.every((label, index) => label === after[index]) ? undefined : { from: before, to: after };
}

/** The entries of both sides by the API's own keys; by their places where there are none, or where they are not unique. */
export function entriesOf(type: ListType, from: readonly Json[], to: readonly Json[]): Entries {
  for (const way of waysOf(type)) {
    const [one, other] = [labelled(from, way), labelled(to, way)];
    if (!one || !other) continue;
    const moved = movedIn(one, other);
    return { from: one, to: other, keyed: true, ...(moved && { moved }) };
  }
  return { from: byPlace(from), to: byPlace(to), keyed: false };
}
