import type { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { isObject, JsonObject } from '../../src/core/json.ts';
import { didYouMean } from '../../src/core/near.ts';
import type { Operation, Route } from '../../src/core/operation.ts';

/** An operation's own routes, and the one that every operation has: its name, with its input as the body. */
export function routesOf({ name, summary, input, routes }: Operation): Route[] {
  const general: Route = {
    method: 'POST',
    path: `/operations/${name}`,
    summary,
    request: input,
    input: (request) => JsonObject.parse(request),
  };
  return [...routes, general];
}

export type Shape = {
  /** What stands in the path. */
  path: z.ZodObject;
  /** The other fields: of the query for GET, else of the body. Unknown ones are refused. */
  fields: z.ZodObject;
};

/** Takes a route's one schema apart into what stands in its path and what comes beside it. */
export function shapeOf({ path, request }: Pick<Route, 'path' | 'request'>): Shape {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, true as const]);
  const mask = Object.fromEntries(names);
  return { path: request.pick(mask), fields: request.omit(mask).strict() };
}

/** A request may be wrong in a hundred thousand places; the answer need not be as long as the request. */
const mostProblems = 20;
const longestName = 100;

function unknownFields(keys: readonly string[], where: string, known: readonly string[]): string[] {
  return keys.map((key) => {
    const name = key.slice(0, longestName);
    return `“${name}” is not a field of ${where}.${didYouMean(name, known)}`;
  });
}

function sentences(issue: z.core.$ZodIssue, given: JsonObject, known: readonly string[]): string[] {
  const [first] = issue.path;
  const name = issue.path.join('.').slice(0, longestName);
  if (issue.code === 'unrecognized_keys') return unknownFields(issue.keys, name || 'this request', name ? [] : known);
  if (issue.code === 'invalid_key') return [`${name}: ${issue.issues.map(({ message }) => message).join(', ')}.`];
  if (issue.path.length === 1 && typeof first === 'string' && !Object.hasOwn(given, first))
    return [`${name} is missing.`];
  return [`${name}: ${issue.message.replace(/^Invalid (input|option): /, '')}.`];
}

const objectOf = (value: unknown): JsonObject => {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw fault('BAD_INPUT', { problem: 'The body must be a JSON object.' });
};

/** Those of the fields alone: nothing gets into an operation's input that no schema has looked at. */
const only = (names: readonly string[], given: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));

/**
 * Reads a request of a route into the operation's input.
 * @throws Fault BAD_INPUT, with a sentence for each field that is wrong, missing or unknown
 */
export function readRequest(
  route: Route,
  shape: Shape,
  given: { params: unknown; query: unknown; body: unknown },
): Record<string, unknown> {
  const parts = [
    { schema: shape.path, value: only(Object.keys(shape.path.shape), objectOf(given.params)) },
    { schema: shape.fields, value: objectOf(route.method === 'GET' ? given.query : given.body) },
  ];
  const known = Object.keys(shape.fields.shape);
  const problems = parts.flatMap(({ schema, value }) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [] : parsed.error.issues.flatMap((issue) => sentences(issue, value, known));
  });
  const rest = problems.length - mostProblems;
  const shown = [...problems.slice(0, mostProblems), ...(rest > 0 ? [`And ${rest} more.`] : [])];
  if (shown.length > 0) throw fault('BAD_INPUT', { problem: shown.join(' ') });
  return route.input(Object.assign({}, ...parts.map(({ value }) => value)));
}
