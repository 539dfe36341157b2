import { z } from 'zod';
import { faultCodes } from '../../src/core/errors.ts';
import { type Json, JsonObject } from '../../src/core/json.ts';
import type { Catalogue, Operation, Route } from '../../src/core/operation.ts';
import { apiPrefix } from './api-context.ts';
import { aboutWaiting, answerSchemas, onItsWay, prefer, waitingHeaders, withRun } from './openapi-waiting.ts';
import { routesOf, shapeOf } from './route-request.ts';
import { EventView } from './run-stream.ts';
import { RunView } from './run-view.ts';
import { AnswerRequest, CancelRequest, DecisionRequest } from './runs-api.ts';

const ErrorView = z.object({
  code: z.enum(faultCodes),
  message: z.string(),
  hint: z.string().describe('What to do next'),
  requestId: z.string(),
});

/** OpenAPI 3.0 knows one `example` where JSON Schema has `examples`. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const made = z.toJSONSchema(schema, {
    io,
    target: 'openapi-3.0',
    override: ({ jsonSchema }) => {
      if (Array.isArray(jsonSchema.examples)) jsonSchema.example = jsonSchema.examples[0];
      delete jsonSchema.examples;
    },
  });
  return JsonObject.parse(JSON.parse(JSON.stringify(made)));
}

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const content = (schema: JsonObject) => ({ 'application/json': { schema } });

const refusals = {
  BadInput: [400, 'Something in the request is wrong; the message names each field.'],
  Unauthorized: [401, 'The token is missing or was refused.'],
  Forbidden: [403, 'The policy does not allow it.'],
  NotFound: [404, 'There is no such app, environment or run.'],
  Conflict: [409, 'There is nothing to decide any more, or the digest is that of another plan.'],
  TooLarge: [413, 'The body is too large.'],
  Unprocessable: [422, 'It cannot be done as asked; with data, the run is over, and did not end as it was wanted.'],
  Locked: [423, 'A lock or a freeze forbids it for now.'],
  TooMany: [429, 'Too many questions or changes for now.'],
  Unavailable: [503, 'Something that is needed does not answer; nothing was started.'],
} as const;
type Refusal = keyof typeof refusals;

const refused = (...names: Refusal[]) =>
  Object.fromEntries(names.map((name) => [refusals[name][0], ref('responses', name)]));

const everywhere: Refusal[] = ['BadInput', 'Unauthorized', 'NotFound', 'Unavailable'];
/** What a run may end as that is waited for. */
const ends: Refusal[] = ['Forbidden', 'Unprocessable', 'Locked', 'TooMany'];

function parametersOf(schema: z.ZodObject, place: 'path' | 'query', optional = false): Json[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const described = z.instanceof(z.ZodType).parse(field);
    const required = place === 'path' || (!optional && !described.safeParse(undefined).success);
    return { name, in: place, required, schema: schemaOf(described, 'input') };
  });
}

/** With a file as the body the fields stand in the query; which of the two it is, OpenAPI cannot say. */
function uploadOf({ upload }: Route, fields: z.ZodObject): { parameters: Json[]; content: JsonObject } {
  if (!upload) return { parameters: [], content: {} };
  const file = { schema: { type: 'string', format: 'binary' } };
  const others = Object.entries(fields.shape).filter(([name]) => name !== upload.field);
  return {
    parameters: parametersOf(z.object(Object.fromEntries(others)), 'query', true),
    content: Object.fromEntries(upload.types.map((type) => [type, file])),
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Within a day, a second request with the same key gets the first one’s run.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

function operationIdOf({ name, routes }: Operation, { path }: Route): string {
  if (path === `/operations/${name}`) return `ask_${name}`;
  const named = (of: string) => of.split('/').filter((part) => part !== '' && !part.startsWith(':'));
  const last = named(path).at(-1);
  const alike = routes.filter((other) => named(other.path).at(-1) === last).length > 1;
  if (alike) return `${name}_${named(path).at(-2)}_${last}`;
  return routes.length === 1 ? name : `${name}_${last}`;
}

function entryOf(operation: Operation, route: Route): JsonObject {
  const { path, fields } = shapeOf(route);
  const reads = route.method === 'GET';
  const hasBody = !reads && Object.keys(fields.shape).length > 0;
  const needsBody = hasBody && !fields.safeParse({}).success;
  const upload = uploadOf(route, fields);
  return {
    operationId: operationIdOf(operation, route),
    summary: route.summary,
    tags: [operation.name],
    parameters: [
      ...parametersOf(path, 'path'),
      ...(reads ? parametersOf(fields, 'query') : []),
      ...upload.parameters,
      idempotencyKey,
      prefer,
    ],
    ...(hasBody && {
      requestBody: { required: needsBody, content: { ...content(schemaOf(fields, 'input')), ...upload.content } },
    }),
    responses: {
      200: withRun(operation.effect === 'read' ? 'The answer, in data.report.' : 'It was waited for, and is done.'),
      202: onItsWay('The run was stored and goes on; its link says how it stands.'),
      ...refused(...everywhere, ...ends, 'TooLarge'),
    },
  };
}

const waitedFor = {
  200: withRun('It was waited for, and ended as it was wanted.'),
  202: onItsWay('It was waited for, and is not over yet.'),
};
const runId = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

/** Somebody's word on a run: a POST below its address. `heard` is what it is answered with where nobody waits. */
function wordPath(
  word: string,
  operationId: string,
  summary: string,
  body: z.ZodObject | undefined,
  heard: Record<number, JsonObject>,
  waits = true,
): JsonObject {
  const required = body !== undefined && !body.safeParse({}).success;
  return {
    [`${apiPrefix}/runs/{id}/${word}`]: {
      post: {
        operationId,
        summary,
        tags: ['runs'],
        parameters: [runId, ...(waits ? [prefer] : [])],
        ...(body && { requestBody: { required, content: content(schemaOf(body, 'input')) } }),
        responses: {
          ...(waits && waitedFor),
          ...heard,
          ...refused(...everywhere, ...ends, 'Conflict', 'TooLarge'),
        },
      },
    },
  };
}

function runPaths(): JsonObject {
  const tags = ['runs'];
  const events = {
    description: `Each message is an event of the run; “end” comes last. ${JSON.stringify(schemaOf(EventView, 'output'))}`,
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
  const lastEvent = { name: 'Last-Event-ID', in: 'header', schema: { type: 'string', pattern: '^\\d+-\\d+$' } };
  return {
    [`${apiPrefix}/runs/{id}`]: {
      get: {
        operationId: 'run_read',
        summary: 'A run as it is now, or, where it is waited for, its end',
        tags,
        parameters: [runId, prefer],
        responses: {
          ...waitedFor,
          200: withRun('The run.'),
          ...refused(...everywhere, ...ends),
        },
      },
    },
    [`${apiPrefix}/runs/{id}/events`]: {
      get: {
        operationId: 'run_events',
        summary: 'What happened and happens in a run, as server-sent events',
        tags,
        parameters: [runId, lastEvent],
        responses: {
          200: events,
          204: { description: 'The run is over and there is nothing after Last-Event-ID.' },
          ...refused(...everywhere),
        },
      },
    },
    ...wordPath('decision', 'run_decide', 'Approve or reject a run’s plan', DecisionRequest, {
      200: withRun('It counts; where it was waited for, the run is done.'),
    }),
    ...wordPath('cancel', 'run_cancel', 'Stop a run', CancelRequest, { 202: onItsWay('It is told to stop.') }),
    ...wordPath('answer', 'run_answer', 'Answer what a run asks', AnswerRequest, { 200: withRun('The run goes on.') }),
    ...wordPath('review', 'run_review', 'Review a broken glass', undefined, { 200: withRun('It is reviewed.') }, false),
    ...wordPath('resume', 'run_resume', 'Take up a run that was set aside', undefined, {
      200: withRun('It is taken up again.'),
    }),
    ...wordPath('undo', 'run_undo', 'Ask for the way back', undefined, { 202: onItsWay('The run that leads back.') }),
  };
}

function auditPath(): JsonObject {
  const after = { name: 'after', in: 'query', schema: { type: 'integer', minimum: 0 } };
  const lines = {
    description: 'A record a line, oldest first.',
    content: { 'application/x-ndjson': { schema: { type: 'string' } } },
  };
  const get = {
    operationId: 'audit_export',
    summary: 'The audit log as JSON Lines',
    tags: ['audit'],
    parameters: [after],
    responses: { 200: lines, ...refused('BadInput', 'Unauthorized', 'Forbidden', 'Unavailable') },
  };
  return { [`${apiPrefix}/audit`]: { get } };
}

/** The REST surface as OpenAPI 3.0, from the same schemas that check the requests. */
export function openApi(catalogue: Catalogue): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const operation of catalogue.values())
    for (const route of routesOf(operation)) {
      const path = `${apiPrefix}${route.path.replace(/:(\w+)/g, '{$1}')}`;
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: entryOf(operation, route) };
    }
  const responses = Object.entries(refusals).map(([name, [, description]]) => [
    name,
    { description, content: content(ref('schemas', 'Error')) },
  ]);
  return {
    openapi: '3.0.3',
    info: {
      title: 'Shipmate',
      version: '1',
      description: `Ask for operations, follow and approve their runs. Policy and approval hold here as they do in Slack. ${aboutWaiting}`,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths: { ...paths, ...runPaths(), ...auditPath() },
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      responses: Object.fromEntries(responses),
      headers: waitingHeaders,
      schemas: answerSchemas(schemaOf(RunView, 'output'), schemaOf(ErrorView, 'output')),
    },
  };
}
