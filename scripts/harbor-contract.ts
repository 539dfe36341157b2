import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { at, isObject, Json, type JsonObject, text } from '../src/core/json.ts';
import { contract } from '../test/fakes/harbor-contract.ts';

/**
 * Holds test/fakes/harbor-contract.ts against Harbor's published description, which is not kept here:
 * `node scripts/harbor-contract.ts api/v2.0/swagger.yaml`, with the file of goharbor/harbor. Ours may say less than Harbor's, never anything else:
 * each path, method, status, parameter and field must be there, and of the same type.
 */
const [file = ''] = process.argv.slice(2);
const swagger = Json.parse(parse(await readFile(file, 'utf8')));
const problems: string[] = [];

/** What a `$ref` stands for. */
function resolved(shape: Json | undefined): JsonObject {
  const to = text(at(shape, '$ref'));
  if (to !== '') return resolved(at(swagger, ...to.split('/').slice(1)));
  return isObject(shape) ? shape : {};
}

const named = (shape: JsonObject, key: string): JsonObject => (isObject(shape[key]) ? shape[key] : {});

function compare(where: string, ours: JsonObject, published: Json | undefined): void {
  const theirs = resolved(published);
  // No type is any: only a description stands there.
  if (theirs.type === undefined && theirs.properties === undefined) return;
  const [type, theirType] = [text(ours.type), text(theirs.type) || 'object'];
  if (type !== '' && type !== theirType) problems.push(`${where}: ${type}, but Harbor's is ${theirType}`);
  if (theirs.format === 'date-time' && ours.format !== undefined && ours.format !== 'date-time')
    problems.push(`${where}: ${text(ours.format)}, but Harbor's is a date-time`);
  if (type === 'array') compare(`${where}[]`, named(ours, 'items'), theirs.items);
  else compareFields(where, ours, theirs);
}

function compareFields(where: string, ours: JsonObject, theirs: JsonObject): void {
  const known = named(theirs, 'properties');
  const others = theirs.additionalProperties;
  for (const [name, field] of Object.entries(named(ours, 'properties'))) {
    const their = known[name] ?? (isObject(others) ? others : undefined);
    if (their === undefined && others !== true) problems.push(`${where}.${name}: Harbor has no such field`);
    else if (isObject(field)) compare(`${where}.${name}`, field, their);
  }
  if (isObject(ours.additionalProperties) && isObject(others)) compare(`${where}.*`, ours.additionalProperties, others);
  const required = Array.isArray(ours.required) ? ours.required : [];
  for (const name of Array.isArray(theirs.required) ? theirs.required : [])
    if (!required.includes(name)) problems.push(`${where}.${text(name)}: Harbor requires it`);
}

/** A path is the same whatever its parameters are called. */
const plain = (path: string) => path.replace(/:\w+|\{\w+\}/g, '{}');
const published = new Map(Object.entries(resolved(at(swagger, 'paths'))).map(([path, its]) => [plain(path), its]));
const schemaOf = (shape: z.ZodType): JsonObject | undefined =>
  shape instanceof z.ZodUndefined ? undefined : z.record(z.string(), Json).parse(z.toJSONSchema(shape));

for (const [key, { takes, answers, query = [], onlyText }] of Object.entries(contract)) {
  const [method = '', path = ''] = key.split(' ');
  const theirs = at(published.get(plain(path)), method.toLowerCase());
  if (theirs === undefined) {
    problems.push(`${key}: Harbor has no such call`);
    continue;
  }
  const parameters = at(theirs, 'parameters');
  const known = (Array.isArray(parameters) ? parameters : []).map(resolved);
  for (const name of query)
    if (!known.some((each) => each.in === 'query' && each.name === name))
      problems.push(`${key}: Harbor takes no ${name}`);
  const body = known.find((each) => each.in === 'body');
  if (takes && !body) problems.push(`${key}: Harbor takes no body`);
  if (takes && body) compare(`${key} takes`, schemaOf(takes) ?? {}, body.schema);
  if (!takes && body?.required === true) problems.push(`${key}: Harbor requires a body`);
  for (const [status, shape] of Object.entries(answers)) {
    const answer = at(theirs, 'responses', status);
    if (answer === undefined) problems.push(`${key}: Harbor never answers ${status}`);
    const said = onlyText ? undefined : schemaOf(shape);
    const itsShape = resolved(answer).schema;
    if (said && answer !== undefined && itsShape === undefined) problems.push(`${key} ${status}: Harbor says nothing`);
    else if (said) compare(`${key} ${status}`, said, itsShape);
  }
}

console.log(problems.join('\n') || `${Object.keys(contract).length} calls are as Harbor's description has them.`);
process.exitCode = problems.length === 0 ? 0 : 1;
