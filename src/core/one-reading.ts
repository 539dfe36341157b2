import { isTooDeep } from './json.ts';
import { oneLine } from './one-line.ts';

/**
 * What a program written in Go has for a value of a document: a struct, whose fields it finds whatever the case of their keys; a map,
 * which takes any key as it is; a whole number; or something that nobody is known to read. A list is as its entries are.
 */
export type Shape = { fields: ReadonlyMap<string, Shape> } | 'map' | 'whole' | 'any';

/** What bytes from outside say, where all who read them read the same. */
export type Reading =
  | { kind: 'read'; value: unknown }
  | { kind: 'no-json' }
  /** `problem` goes on after “it”: `has “Layers”, which …`. */
  | { kind: 'ambiguous'; problem: string };

export const struct = (fields: Readonly<Record<string, Shape>>): Shape => ({ fields: new Map(Object.entries(fields)) });

/**
 * A key as Go looks for its field: without case, where `ſ` is an s and the Kelvin sign a k; and without the dashes that
 * some of its readers take no notice of.
 */
const folded = (key: string): string => key.toLowerCase().replaceAll('ſ', 's').replaceAll(/[-_]/g, '');

const fieldsFolded = new WeakMap<ReadonlyMap<string, Shape>, ReadonlyMap<string, string>>();

/** The field that another reader takes a key for; undefined where that is none, or is of the same name. */
function mistakenFor(key: string, fields: ReadonlyMap<string, Shape>): string | undefined {
  if (fields.has(key)) return undefined;
  const known = fieldsFolded.get(fields) ?? new Map([...fields.keys()].map((name) => [folded(name), name]));
  fieldsFolded.set(fields, known);
  return known.get(folded(key));
}

const shown = (text: string): string => `“${oneLine(text.toWellFormed().slice(0, 40))}”`;

function keyProblem(key: string, seen: ReadonlySet<string>, shape: Shape): string | undefined {
  if (seen.has(key)) return `has ${shown(key)} twice, of which one program takes the first and another the last`;
  const field = typeof shape === 'object' ? mistakenFor(key, shape.fields) : undefined;
  return field === undefined ? undefined : `has ${shown(key)}, which some programs read as “${field}” and others not`;
}

/** Looks through a text that is JSON, and not nested too deeply: keys are told that JSON.parse does not tell. */
function createScan(text: string) {
  let at = 0;
  const skip = (letters: string) => {
    while (at < text.length && letters.includes(text[at] ?? '')) at += 1;
  };
  const blanks = ' \t\n\r';
  const string = (): { said: string; problem: string | undefined } => {
    const from = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    const said: string = JSON.parse(text.slice(from, ++at));
    // Go makes another letter of it, and two keys may become one.
    return { said, problem: said.isWellFormed() ? undefined : `has half a letter in ${shown(said)}` };
  };
  const bare = (shape: Shape): string | undefined => {
    const from = at;
    skip('+-.0123456789abcdefghijklmnopqrstuvwxyzE');
    const said = text.slice(from, at);
    const isOne = shape !== 'whole' || /^(0|[1-9]\d{0,14})$/.test(said);
    return isOne ? undefined : `has ${shown(said)} where a whole number belongs`;
  };
  const list = (shape: Shape): string | undefined => {
    for (at += 1, skip(blanks); text[at] !== ']'; skip(`${blanks},`)) {
      const problem = value(shape);
      if (problem !== undefined) return problem;
    }
    at += 1;
    return undefined;
  };
  const object = (shape: Shape): string | undefined => {
    const seen = new Set<string>();
    for (at += 1, skip(blanks); text[at] !== '}'; skip(`${blanks},`)) {
      const key = string();
      skip(`${blanks}:`);
      const below = typeof shape === 'object' ? (shape.fields.get(key.said) ?? 'any') : 'any';
      const problem = key.problem ?? keyProblem(key.said, seen, shape) ?? value(below);
      if (problem !== undefined) return problem;
      seen.add(key.said);
    }
    at += 1;
    return undefined;
  };
  const value = (shape: Shape): string | undefined => {
    skip(blanks);
    if (text[at] === '{') return object(shape);
    if (text[at] === '[') return list(shape);
    return text[at] === '"' ? string().problem : bare(shape);
  };
  return value;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads JSON that other programs read too. Go's take the last of two keys, and a key in any case for a field: what they
 * would read otherwise than this program does is refused, wherever a program of theirs looks.
 */
export function readOneWay(bytes: Uint8Array, shape: Shape): Reading {
  // A byte order mark stays, and is no JSON: Go takes none.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (isTooDeep(text)) return { kind: 'ambiguous', problem: 'is nested more deeply than all programs read' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'no-json' };
  }
  if (!isUtf8(bytes))
    return { kind: 'ambiguous', problem: 'has bytes that are no UTF-8, of which programs make different letters' };
  const problem = createScan(text)(shape);
  return problem === undefined ? { kind: 'read', value } : { kind: 'ambiguous', problem };
}

/** The same, of what anybody may have put there: undefined where it can be read in two ways, too. */
export function readOrNothing(bytes: Uint8Array, shape: Shape): unknown {
  const reading = readOneWay(bytes, shape);
  return reading.kind === 'read' ? reading.value : undefined;
}
