import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type FastifyInstance, fastify } from 'fastify';
import { fault } from '../../src/core/errors.ts';
import { isTooDeep } from '../../src/core/json.ts';
import type { NoticeStore } from '../../src/core/notices.ts';
import type { Log } from '../../src/core/ports.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type AlertmanagerDeps, alertmanagerWebhook } from '../webhooks/alertmanager.ts';
import { type HarborDeps, harborWebhook } from '../webhooks/harbor.ts';
import { type RegistriesDeps, registryWebhooks } from '../webhooks/registries.ts';
import { bodyMs, limitBody, uploadMs } from './body-time.ts';
import { answerFaults, answerUnreadable, bodyLimit } from './error-answer.ts';
import { createHolds } from './holds.ts';
import type { Metrics } from './metrics.ts';
import { type Check, probes } from './probes.ts';
import { restApi } from './rest-api.ts';
import { createRunChanges } from './run-changes.ts';
import { behindSlack } from './slack-door.ts';
import { createTokenCheck, type TokenSettings, warnOfTokens } from './tokens.ts';

export type HttpDeps = {
  log: Log;
  metrics: Metrics;
  /** What must answer for the process to be ready, by name: `redis`, `cluster`. */
  checks: Readonly<Record<string, Check>>;
  /** REST; a process that is only a worker leaves it out. */
  api?: {
    engine: Engine;
    notices: Pick<NoticeStore, 'watch'>;
    tokens: TokenSettings;
    publicUrl?: string;
  };
  alertmanager?: AlertmanagerDeps;
  harbor?: HarborDeps;
  registries?: RegistriesDeps;
  /** For POST /slack/events. */
  slack?: RequestListener;
};

function measure(app: FastifyInstance, { log, metrics }: HttpDeps): void {
  app.addHook('onRequest', async (request, reply) => {
    limitBody(request.raw, bodyMs);
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, id } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    metrics.seen({ method, route, status, seconds: reply.elapsedTime / 1_000 });
    if (status >= 400 && status < 500) log.info({ requestId: id, method, route, status }, 'a request was refused');
  });
}

/** Fastify's own reader of JSON, but for what would end whoever walks through it. */
function readJson(app: FastifyInstance): void {
  const read = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    if (isTooDeep(text)) return done(fault('BAD_INPUT', { problem: 'The body is nested too deeply.' }));
    return read(request, text, done);
  });
}

/** The HTTP server, not yet listening: probes always, and the surfaces that are passed in. */
export async function createHttpServer(deps: HttpDeps): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit,
    genReqId: () => randomUUID(),
    exposeHeadRoutes: false,
    requestTimeout: uploadMs,
    http: { headersTimeout: bodyMs },
    frameworkErrors: answerUnreadable,
    ...(deps.slack && { serverFactory: behindSlack(deps.slack) }),
  });
  app.removeContentTypeParser('text/plain');
  readJson(app);
  answerFaults(app, deps.log, deps.api?.engine.redact ?? ((text) => text));
  measure(app, deps);
  await app.register(probes(deps));
  if (deps.api) {
    const { engine, notices, tokens, publicUrl } = deps.api;
    const closing = new AbortController();
    const changes = createRunChanges(notices, deps.log);
    const holds = createHolds();
    app.addHook('preClose', async () => closing.abort());
    // A connection that were kept after its last answer would keep the server from closing.
    app.addHook('onSend', async (_request, reply) => {
      if (closing.signal.aborted) reply.header('connection', 'close');
    });
    app.addHook('onClose', () => changes.close());
    warnOfTokens(tokens, deps.log);
    const checkToken = createTokenCheck(tokens);
    await app.register(restApi({ engine, changes, holds, checkToken, publicUrl, closing: closing.signal }));
  }
  if (deps.alertmanager) await app.register(alertmanagerWebhook(deps.alertmanager));
  if (deps.harbor) await app.register(harborWebhook(deps.harbor));
  if (deps.registries) await app.register(registryWebhooks(deps.registries));
  return app;
}
