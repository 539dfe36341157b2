import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor } from '../../src/core/actor.ts';
import { actorId } from '../../src/core/actor.ts';
import { fault } from '../../src/core/errors.ts';
import { digestOf } from '../../src/core/json.ts';
import type { Operation, Route } from '../../src/core/operation.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { after } from '../../src/core/within.ts';
import { readRun } from '../../src/engine/reading.ts';
import { type Ask, checkInput, inputsOf, requestEach } from '../../src/engine/request.ts';
import { type ApiDeps, identityOf, linkOf } from './api-context.ts';
import { readRequest, routesOf, shapeOf } from './route-request.ts';
import { viewOf } from './run-view.ts';
import { readUpload, sentIn, takeUploads } from './upload.ts';

/** How long a question is waited for before its asker is sent to look for the answer. */
const readWaitMs = 5_000;

/** The key counts for one subject only: nobody gets another's run by guessing a key. */
function keyOf(request: FastifyRequest, actor: Actor): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.length === 0 || key.length > 255)
    throw fault('BAD_INPUT', { problem: 'The header Idempotency-Key must have 1 to 255 characters.' });
  return `rest:${digestOf([actorId(actor), key])}`;
}

/** The header Break-Glass holds the reason. */
function glassOf({ headers }: FastifyRequest): { breakGlass?: string } {
  const reason = headers['break-glass'];
  return typeof reason === 'string' ? { breakGlass: reason } : {};
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function traceOf({ headers }: FastifyRequest): { trace?: string } {
  const trace = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(headers.traceparent ?? ''))?.[1];
  return trace === undefined ? {} : { trace };
}

async function ended({ engine, changes }: ApiDeps, first: Run): Promise<Run> {
  let run = first;
  for await (const _turn of changes.of(run.id, after(readWaitMs))) {
    // The question is stored already; with the store away its asker still gets the link to it.
    run = await readRun(engine, run.id, run.actor).catch(() => run);
    if (isOver(run.state)) break;
  }
  return run;
}

/** Who asks, and all that is not the request itself. */
function askOf(http: FastifyRequest): Omit<Ask, 'operation' | 'input'> {
  const { actor } = identityOf(http);
  const key = keyOf(http, actor);
  return { actor, origin: { surface: 'rest' }, ...(key !== undefined && { key }), ...glassOf(http), ...traceOf(http) };
}

async function start(deps: ApiDeps, operation: Operation, input: unknown, http: FastifyRequest): Promise<Run[]> {
  const runs = await requestEach(deps.engine, { ...askOf(http), operation: operation.name, input });
  const inputs = inputsOf(deps.engine.settings(), input);
  const same = (run: Run, index: number) =>
    run.operation === operation.name && digestOf(run.input) === digestOf(checkInput(operation, inputs[index]));
  if (!runs.every(same)) throw fault('KEY_REUSED', {});
  return runs;
}

function addRoute(app: FastifyInstance, deps: ApiDeps, operation: Operation, route: Route): void {
  const shape = shapeOf(route);
  app.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      const sent = sentIn(request, route);
      // What is refused is not read to its end.
      if (sent) reply.header('connection', 'close');
      const input = sent
        ? await readUpload(deps, { operation, route, shape }, sent, request, askOf(request))
        : readRequest(route, shape, request);
      const started = await start(deps, operation, input, request);
      const reads = operation.effect === 'read';
      const runs = reads ? await Promise.all(started.map((run) => ended(deps, run))) : started;
      const views = runs.map((run) => viewOf(run, linkOf(deps, request, run.id)));
      const answered = reads && runs.every(({ state }) => isOver(state));
      return reply
        .code(answered ? 200 : 202)
        .header('location', views[0]?.link)
        .send({ data: views[0], ...(views.length > 1 && { each: views }) });
    },
  });
}

/** Every route of the catalogue, below the prefix that the plugin is registered under. */
export function operationsApi(deps: ApiDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    const all = [...deps.engine.catalogue.values()].flatMap((operation) =>
      routesOf(operation).map((route) => ({ operation, route })),
    );
    takeUploads(
      app,
      all.map(({ route }) => route),
    );
    for (const { operation, route } of all) addRoute(app, deps, operation, route);
  };
}
