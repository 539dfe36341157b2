import type fc from 'fast-check';
import * as arbitrary from 'fast-check';
import { at, isObject, type Json, type JsonObject, text } from '../../src/core/json.ts';

/** Random changes of objects, by the schemas that a cluster publishes of its kinds. */

export type Schemas = ReadonlyMap<string, JsonObject>;
type Draw = fc.GeneratorValue;

const prefix = '#/components/schemas/';
const strings = [
  'a',
  'b',
  'c',
  '1',
  '10m',
  '5Gi',
  '50%',
  '/x',
  '/y',
  'TCP',
  'Always',
  'Exists',
  'ana',
  '10.0.0.1',
  'b.example.com',
];

function resolved(schema: JsonObject, schemas: Schemas): JsonObject {
  const refs = [schema, ...(Array.isArray(schema.allOf) ? schema.allOf : [])].map((each) => text(at(each, '$ref')));
  const ref = refs.find((each) => each.startsWith(prefix));
  return ref === undefined ? schema : resolved(schemas.get(ref.slice(prefix.length)) ?? {}, schemas);
}

const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const chance = (draw: Draw, percent: number) => draw(arbitrary.integer, { min: 1, max: 100 }) <= percent;
const oneOf = <Value>(draw: Draw, values: readonly [Value, ...Value[]]): Value =>
  draw(arbitrary.constantFrom, ...values);

function stringOf(draw: Draw, schema: JsonObject): Json {
  const [first, ...others] = Array.isArray(schema.enum) ? schema.enum : [];
  if (first !== undefined) return oneOf(draw, [first, ...others]);
  if (schema.format === 'int-or-string') return oneOf<Json>(draw, [1, 2, '50%', '25%']);
  if (schema.format === 'date-time') return '2026-01-02T03:04:05Z';
  if (schema.format === 'byte') return 'YWJj';
  return oneOf(draw, ['a', ...strings]);
}

function generated(draw: Draw, given: JsonObject, schemas: Schemas, depth: number): Json {
  const schema = resolved(given, schemas);
  if (schema.type === 'boolean') return chance(draw, 50);
  if (schema.type === 'integer' || schema.type === 'number') return oneOf(draw, [1, 2, 3, 30, 80]);
  if (schema.type === 'array') {
    const length = depth > 3 ? 1 : draw(arbitrary.integer, { min: 0, max: 2 });
    return Array.from({ length }, () => generated(draw, asObject(schema.items), schemas, depth + 1));
  }
  if (isObject(schema.properties)) return objectOf(draw, schema, schemas, depth);
  if (schema.type === 'object' && schema.additionalProperties !== undefined)
    return {
      [oneOf(draw, ['a', 'b', 'x.y/z'])]: generated(draw, asObject(schema.additionalProperties), schemas, depth + 1),
    };
  return schema.type === 'object' ? {} : stringOf(draw, schema);
}

function objectOf(draw: Draw, schema: JsonObject, schemas: Schemas, depth: number): JsonObject {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const wanted = Object.entries(asObject(schema.properties)).filter(
    ([name]) => required.includes(name) || (depth < 5 && chance(draw, 12)),
  );
  return Object.fromEntries(wanted.map(([name, each]) => [name, generated(draw, asObject(each), schemas, depth + 1)]));
}

function changedList(draw: Draw, list: readonly Json[], items: JsonObject, schemas: Schemas, depth: number): Json[] {
  const index = draw(arbitrary.nat, { max: Math.max(0, list.length - 1) });
  const entry = list[index];
  if (entry === undefined) return [generated(draw, items, schemas, depth + 1)];
  switch (oneOf(draw, ['inside', 'inside', 'twin', 'more', 'less', 'order', 'nearly'])) {
    case 'inside':
      return list.with(index, changed(draw, entry, items, schemas, depth + 1));
    case 'twin':
      return [...list, entry];
    // A second entry that differs from the first in something.
    case 'nearly':
      return [...list, changed(draw, entry, items, schemas, depth + 1)];
    case 'more':
      return [generated(draw, items, schemas, depth + 1), ...list];
    case 'less':
      return list.toSpliced(index, 1);
    default:
      return list.toReversed();
  }
}

function changedObject(draw: Draw, value: JsonObject, schema: JsonObject, schemas: Schemas, depth: number): JsonObject {
  const known = Object.keys(value);
  const possible = isObject(schema.properties) ? Object.keys(schema.properties) : ['a', 'b', 'x.y/z'];
  const names = known.length > 0 && chance(draw, 70) ? known : possible;
  const [first, ...others] = names;
  if (first === undefined) return value;
  const name = oneOf(draw, [first, ...others]);
  const of = asObject(isObject(schema.properties) ? schema.properties[name] : schema.additionalProperties);
  const old = value[name];
  if (old === undefined) return { ...value, [name]: generated(draw, of, schemas, depth + 1) };
  if (chance(draw, 10)) return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
  return { ...value, [name]: changed(draw, old, of, schemas, depth + 1) };
}

/** The value with one random change somewhere in it, of a kind that its schema allows. */
export function changed(draw: Draw, value: Json, given: JsonObject, schemas: Schemas, depth = 0): Json {
  const schema = resolved(given, schemas);
  if (Array.isArray(value)) return changedList(draw, value, asObject(schema.items), schemas, depth);
  if (isObject(value)) return changedObject(draw, value, schema, schemas, depth);
  return generated(draw, schema, schemas, depth);
}
