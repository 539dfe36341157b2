import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fault } from '../../src/core/errors.ts';
import { type Field, fieldsOf } from '../../src/core/fields.ts';
import { isObject, Json, type JsonObject } from '../../src/core/json.ts';
import type { Operation, Route } from '../../src/core/operation.ts';
import type { Upload } from '../../src/core/upload.ts';
import { within } from '../../src/core/within.ts';
import { type Ask, checkAsk } from '../../src/engine/request.ts';
import type { ApiDeps } from './api-context.ts';
import { limitBody, uploadMs } from './body-time.ts';
import { readRequest, type Shape } from './route-request.ts';

function jsonOf(name: string, text: string): Json {
  try {
    return Json.parse(JSON.parse(text));
  } catch {
    throw fault('BAD_INPUT', { problem: `${name} must be JSON, such as {"VERSION":"1.0.0"}.` });
  }
}

/** Fields of a query are texts: a list has commas between, and what has keys is JSON, as in Docker's own API. */
function readValue(name: string, value: Json, field: Field | undefined): Json {
  if (typeof value !== 'string') return value;
  if (field?.type === 'array') return value.split(',');
  return field?.type === 'object' ? jsonOf(name, value) : value;
}

function queryOf(query: unknown, { fields }: Shape): JsonObject {
  const known = fieldsOf(fields);
  const given = isObject(query) ? Object.entries(query) : [];
  return Object.fromEntries(given.map(([name, value]) => [name, readValue(name, value, known.get(name))]));
}

/** Lets a route's files through as they come: nothing holds them whole. */
export function takeUploads(app: FastifyInstance, routes: readonly Route[]): void {
  const types = [...new Set(routes.flatMap(({ upload }) => upload?.types ?? []))];
  if (types.length > 0) app.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
}

async function* bytesOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of body) yield part;
  } catch (thrown) {
    throw fault('BAD_INPUT', { problem: 'The upload broke off before its end.' }, thrown);
  }
}

type Sent = { body: Readable; upload: Upload<unknown> };

/** The file that a request brings; undefined where it is JSON, as usual. @throws Fault BAD_INPUT where no file is taken */
export function sentIn({ body }: FastifyRequest, { upload, path }: Route): Sent | undefined {
  if (!(body instanceof Readable)) return undefined;
  if (!upload) throw fault('BAD_INPUT', { problem: `${path} takes no file: send JSON.` });
  return { body, upload };
}

/**
 * Reads a request whose body is a file. The file is taken in only once all else is found to be right and allowed.
 * @returns the operation's input
 */
export async function readUpload(
  { engine, closing }: ApiDeps,
  { operation, route, shape }: { operation: Operation; route: Route; shape: Shape },
  { body, upload }: Sent,
  http: FastifyRequest,
  ask: Omit<Ask, 'input' | 'operation'>,
): Promise<Record<string, unknown>> {
  const { field, until, keep } = upload;
  const { params } = http;
  const fields = queryOf(http.query, shape);
  if (fields[field] !== undefined)
    throw fault('BAD_INPUT', { problem: `Name ${field} or send a file for it, not both.` });
  const draft = { ...fields, [field]: until };
  const input = readRequest(route, shape, { params, query: {}, body: draft });
  checkAsk(engine, { ...ask, operation: operation.name, input });
  limitBody(http.raw, uploadMs);
  const signal = within(closing, uploadMs);
  const context = { on: engine.clients, settings: engine.settings(), now: engine.now, signal };
  const kept = await keep(context, draft, bytesOf(body));
  return readRequest(route, shape, { params, query: {}, body: { ...fields, [field]: kept } });
}
