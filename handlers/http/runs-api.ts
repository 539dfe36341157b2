import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { answer, review } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import { eventsOf, readRun } from '../../src/engine/reading.ts';
import { resume } from '../../src/engine/resume.ts';
import { stop } from '../../src/engine/stop.ts';
import { undo } from '../../src/engine/undo.ts';
import { type ApiDeps, identityOf, linkOf } from './api-context.ts';
import { decisionRefusal } from './decision-refusal.ts';
import { patience } from './patience.ts';
import { answerRuns } from './run-answer.ts';
import { runStream } from './run-stream.ts';
import { viewOf } from './run-view.ts';

export const DecisionRequest = z.strictObject({
  kind: z.enum(['approve', 'reject', 'withdraw'], 'must be approve, reject or withdraw'),
  digest: z
    .string()
    .regex(/^[0-9a-f]{12,64}$/, 'must be the digest of the run’s plan')
    .describe('The digest of the plan that the decision is about'),
  reason: z.string().max(500, 'must be at most 500 characters').optional(),
});

const Params = z.object({ id: z.string() });

/** The request's decorator that holds the run it is about. */
const runKey = 'run';
const runOf = (request: FastifyRequest) => request.getDecorator<Run>(runKey);

export const CancelRequest = z.strictObject({
  reason: z.string().max(500, 'must be at most 500 characters').optional(),
});
export const AnswerRequest = z.strictObject({ choice: z.string().min(1).max(100) });

function bodyOf<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'The body'}: ${message}.`);
  throw fault('BAD_INPUT', { problem: problems.join(' ') });
}

function lastEventOf(request: FastifyRequest): string {
  const last = request.headers['last-event-id'] ?? '';
  if (typeof last === 'string' && /^(\d{1,16}-\d{1,16})?$/.test(last)) return last;
  throw fault('BAD_INPUT', { problem: 'The header Last-Event-ID is not the id of an event of this stream.' });
}

/** One run: as it is, as it goes, and other people's word on it. */
export function runsApi(deps: ApiDeps) {
  const { engine, changes, closing } = deps;
  return async (app: FastifyInstance): Promise<void> => {
    // Before anything is answered or done: whoever may not read the run is not told that there is one.
    app.decorateRequest(runKey, null);
    app.addHook('preHandler', async (request) => {
      const { id } = Params.parse(request.params);
      request.setDecorator(runKey, await readRun(engine, id, identityOf(request).actor));
    });

    app.get('/:id', (request, reply) => answerRuns(deps, request, reply, [runOf(request)], { plain: 200 }));

    app.get('/:id/events', async (request, reply) => {
      const run = runOf(request);
      const { actor, expiresAt } = identityOf(request);
      const last = lastEventOf(request);
      // 204 tells an EventSource that reconnects after the end to stop doing so.
      const nothingLeft = last !== '' && isOver(run.state) && (await eventsOf(engine, run, last, 1)).length === 0;
      if (nothingLeft) return reply.code(204).send();
      const { signal } = patience(closing, reply, expiresAt - engine.now());
      const frames = runStream({ engine, changes, actor }, run.id, last, signal);
      return reply
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(frames));
    });

    app.post('/:id/decision', async (request, reply) => {
      const { id } = runOf(request);
      const ballot = { ...bodyOf(DecisionRequest, request.body), actor: identityOf(request).actor };
      const { outcome, run } = await decide(engine, id, ballot);
      if (outcome.kind === 'refused') throw decisionRefusal(outcome, ballot.actor, run, engine.settings());
      const wanted = ballot.kind === 'reject' ? 'rejected' : 'finished';
      return await answerRuns(deps, request, reply, [run], { plain: 200, wanted });
    });

    app.post('/:id/cancel', async (request, reply) => {
      const { id } = runOf(request);
      const run = await stop(engine, id, { ...bodyOf(CancelRequest, request.body), actor: identityOf(request).actor });
      return await answerRuns(deps, request, reply, [run], { plain: 202, wanted: 'cancelled' });
    });

    app.post('/:id/answer', async (request, reply) => {
      const { id } = runOf(request);
      const { choice } = bodyOf(AnswerRequest, request.body);
      const run = await answer(engine, id, identityOf(request).actor, choice);
      return await answerRuns(deps, request, reply, [run], { plain: 200 });
    });

    app.post('/:id/review', async (request) => {
      const { id } = runOf(request);
      const run = await review(engine, id, identityOf(request).actor);
      return { data: viewOf(run, linkOf(deps, request, run.id)) };
    });

    app.post('/:id/resume', async (request, reply) => {
      const { id } = Params.parse(request.params);
      const run = await resume(engine, id, identityOf(request).actor);
      return await answerRuns(deps, request, reply, [run], { plain: 200 });
    });

    app.post('/:id/undo', async (request, reply) => {
      const { id } = runOf(request);
      const run = await undo(engine, id, { actor: identityOf(request).actor, origin: { surface: 'rest' } });
      return await answerRuns(deps, request, reply, [run], { plain: 202 });
    });
  };
}
