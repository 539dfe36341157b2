import type { Difference } from '../../src/core/diff.ts';
import { isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { ListType, ListTypes } from '../../src/core/list-types.ts';

/**
 * An object with the lines of a plan carried out on it, read as a person reads them: by their texts. It knows nothing of how
 * they were made. From `after` it takes the names that fields may have (a name may well have dots in it), never a value.
 */
type World = { after: JsonObject; types: ListTypes };

const orders = ' (order)';
type Lines = readonly Difference[];

/** The lines of one place, without the beginning of their paths. */
function linesIn(lines: Lines, start: string): Difference[] {
  return lines.flatMap(({ path, ...sides }) =>
    path === start || ['.', '[', orders].some((next) => path.startsWith(start + next))
      ? [{ path: path.slice(start.length), ...sides }]
      : [],
  );
}

/** A field's lines: the names are tried longest first, since `d.e` is a field and not the `e` of `d`. */
function byField(lines: Lines, names: readonly string[]): Map<string, Difference[]> {
  const found = new Map<string, Difference[]>();
  for (const line of lines) {
    const path = line.path.replace(/^\./, '');
    const fits = (name: string) => linesIn([{ ...line, path }], name).length > 0;
    const field = names.filter(fits).sort((a, b) => b.length - a.length)[0];
    if (field === undefined) throw new Error(`a line of no field: ${line.path}`);
    found.set(field, [...(found.get(field) ?? []), ...linesIn([{ ...line, path }], field)]);
  }
  return found;
}

const label = (entry: Json, keys: readonly string[]) =>
  keys.flatMap((key) => (isObject(entry) && entry[key] !== undefined ? [String(entry[key])] : [])).join(',');

/** By what the lines call the entries of a list; undefined where that is their places. */
function callsOf(type: ListType, sides: readonly (readonly Json[])[]): ((entry: Json) => string) | undefined {
  const simple = (value: Json | undefined) => value !== undefined && value !== null && typeof value !== 'object';
  const unique = (call: (entry: Json) => string) => sides.every((list) => new Set(list.map(call)).size === list.length);
  const all = sides.flat();
  if (type.kind === 'set') return all.every(simple) && unique(String) ? String : undefined;
  if (type.kind === 'atomic') return undefined;
  const { keys } = type;
  for (let count = 1; count <= keys.length; count++) {
    const some = keys.slice(0, count);
    const has = (entry: Json) =>
      isObject(entry) &&
      simple(entry[some[0] ?? '']) &&
      entry[some[0] ?? ''] !== '' &&
      some.every((key) => entry[key] === undefined || simple(entry[key]));
    const call = (entry: Json) => label(entry, some);
    if (all.every(has) && unique(call)) return call;
  }
  return undefined;
}

const gone = Symbol('gone');
type Value = Json | typeof gone;

function objectWith(before: JsonObject, after: Json | undefined, lines: Lines, fields: string[], world: World): Value {
  const names = new Set([...Object.keys(before), ...(isObject(after) ? Object.keys(after) : [])]);
  const result: JsonObject = {};
  const own = byField(lines, [...names]);
  for (const name of names) {
    const is = Object.hasOwn(before, name) ? (before[name] ?? null) : gone;
    const will = isObject(after) && Object.hasOwn(after, name) ? after[name] : undefined;
    const now = valueWith(is, will, own.get(name) ?? [], [...fields, name], world);
    if (now !== gone) result[name] = now;
  }
  return result;
}

function listWith(
  before: readonly Json[],
  after: Json | undefined,
  lines: Lines,
  fields: string[],
  world: World,
): Value {
  const later = Array.isArray(after) ? after : [];
  const call = callsOf(world.types(fields), [before, later]);
  const named = (list: readonly Json[]) =>
    list.map((entry, index) => ({ entry, name: call?.(entry) ?? String(index) }));
  const [is, will] = [named(before), named(later)];
  const order = lines.find(({ path }) => path === orders)?.to;
  const others = lines.filter(({ path }) => path !== orders);
  const names = [...new Set([...is, ...will].map(({ name }) => name))];
  const inside = (name: string) => linesIn(others, `[${name}]`);
  const made = names.map((name) => {
    const one = is.find((each) => each.name === name);
    const other = will.find((each) => each.name === name);
    return { name, value: valueWith(one ? one.entry : gone, other?.entry, inside(name), fields, world) };
  });
  const left = made.flatMap(({ name, value }) => (typeof value === 'symbol' ? [] : [{ name, value }]));
  const sorted = Array.isArray(order)
    ? order.flatMap((wanted) => left.filter(({ name }) => name === String(wanted)))
    : left;
  return sorted.map(({ value }) => value);
}

/** A value after its lines: what goes, goes; what is left without anything inside goes as well, unless a line says `{}`. */
function valueWith(before: Value, after: Json | undefined, lines: Lines, fields: string[], world: World): Value {
  if (lines.length === 0) return before;
  const self = lines.filter(({ path }) => path === '');
  const deeper = lines.filter(({ path }) => path !== '');
  const [said] = self.filter(({ to }) => to !== undefined);
  const goes = self.some(({ to }) => to === undefined);
  const isPlain = said && (said.to === null || typeof said.to !== 'object');
  if (said && isPlain) return said.to ?? null;
  const is = goes ? gone : before;
  // Lines with a field are of an object, lines with an entry of a list; what was another thing goes with lines of its own.
  const kinds = [isObject(is), Array.isArray(is), isObject(after), Array.isArray(after)];
  let result: Value = is;
  if (deeper.length > 0) {
    const asList = deeper.filter(({ path }) => path.startsWith('[') || path === orders);
    const asObject = deeper.filter((line) => !asList.includes(line));
    const parts: Value[] = [];
    if (asObject.length > 0) parts.push(objectWith(isObject(is) ? is : {}, after, asObject, fields, world));
    if (asList.length > 0) parts.push(listWith(Array.isArray(is) ? is : [], after, asList, fields, world));
    const kept = parts.filter((part) => part !== gone && Object.keys(part ?? {}).length > 0);
    result = kept[0] ?? gone;
    if (kinds.every((kind) => !kind)) throw new Error(`lines inside of what is neither: ${fields.join('.')}`);
  }
  if (result === gone && said) return said.to ?? null;
  return result;
}

/** The object as the lines say that it will be. */
export function withShown(before: JsonObject, lines: Lines, world: World): Json {
  const start = lines.map(({ path, ...sides }) => ({ path: path === '' ? '' : `.${path}`, ...sides }));
  const made = valueWith(before, world.after, start, [], world);
  return made === gone ? {} : made;
}
