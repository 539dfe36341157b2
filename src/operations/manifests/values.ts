import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';

/** What is well-formed YAML and still no manifest. */
export class Unreadable extends Error {}

const most = { depth: 100, aliased: 10_000 };

type State = { anchors: Map<string, Node>; open: Set<Node>; depth: number; within: number; aliased: number };

/**
 * Turns documents into JSON, and refuses what JSON cannot say or what somebody cannot have meant: a key twice, a number
 * that would lose digits, aliases that multiply without end.
 */
export function createValues(lines: LineCounter) {
  const at = (node: unknown): string => {
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    const { line, col } = lines.linePos(Array.isArray(range) && typeof range[0] === 'number' ? range[0] : 0);
    return `line ${line}, column ${col}`;
  };
  const refuse = (node: unknown, problem: string): never => {
    throw new Unreadable(`${at(node)}: ${problem}`);
  };

  const scalar = ({ value, source }: Scalar, node: Node): Json => {
    if (value === null || value === undefined) return null;
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value !== 'number')
      return refuse(node, `“${source ?? String(value)}” is no text and no number; write it in quotes.`);
    if (!Number.isFinite(value)) return refuse(node, `“${source ?? value}” is a number that JSON does not have.`);
    const exact = Number.isSafeInteger(value) || !/^[-+]?[\d_]+$/.test(source ?? '');
    return exact
      ? value
      : refuse(node, `${source} is too large for a number and would lose digits; write it in quotes.`);
  };

  const keyOf = (key: unknown): string => {
    if (!isScalar(key)) return refuse(key, 'a key must be a word. If this is a template ({{ … }}), render it first.');
    const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
    if (name === '') return refuse(key, 'a key is missing before the colon.');
    return name === '__proto__' ? refuse(key, 'the key __proto__ is not taken.') : name;
  };

  const map = (node: YAMLMap, state: State): JsonObject => {
    const result: JsonObject = {};
    const merged: JsonObject[] = [];
    const seen = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      const name = keyOf(key);
      const first = seen.get(name);
      if (first !== undefined) refuse(key, `the key “${name}” is there twice; the first one is in ${at(first)}.`);
      seen.set(name, key);
      const json = of(value, state);
      if (name === '<<' && isScalar(key) && key.type === 'PLAIN') merged.push(...[json].flat().filter(isObject));
      else result[name] = json;
    }
    return merged.length > 0 ? Object.assign({}, ...merged.reverse(), result) : result;
  };

  const alias = (node: Alias, state: State): Json => {
    const target = state.anchors.get(node.source);
    if (!target) return refuse(node, `there is no &${node.source} before it.`);
    if (state.open.has(target)) return refuse(node, `&${node.source} contains itself.`);
    state.within += 1;
    const value = of(target, state);
    state.within -= 1;
    return value;
  };

  const nested = (node: Node, state: State, inside: () => Json): Json => {
    state.open.add(node);
    state.depth += 1;
    if (state.depth > most.depth) refuse(node, `it is nested more than ${most.depth} levels deep.`);
    const value = inside();
    state.depth -= 1;
    state.open.delete(node);
    return value;
  };

  const of = (node: unknown, state: State): Json => {
    if (node === null || node === undefined) return null;
    if (state.within > 0) state.aliased += 1;
    if (state.aliased > most.aliased)
      refuse(node, `its aliases (*…) make more than ${most.aliased} values; write them out.`);
    if (isAlias(node)) return alias(node, state);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return refuse(node, 'this is no value.');
    if (node.anchor !== undefined && state.within === 0) state.anchors.set(node.anchor, node);
    if (isScalar(node)) return scalar(node, node);
    return nested(node, state, () => (isMap(node) ? map(node, state) : node.items.map((item) => of(item, state))));
  };

  return {
    of: (document: Document): Json =>
      of(document.contents, { anchors: new Map(), open: new Set(), depth: 0, within: 0, aliased: 0 }),
  };
}
