import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault, fault } from '../../src/core/errors.ts';
import type { Log } from '../../src/core/ports.ts';
import type { Redact } from '../../src/core/redact.ts';

/** Largest body that is read, in bytes. */
export const bodyLimit = 1_048_576;

function badRequest({ code, message }: FastifyError): Fault {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return fault('TOO_LARGE', { limit: '1 MiB' });
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return fault('BAD_INPUT', { problem: 'The body is not JSON: send it with Content-Type: application/json.' });
  return fault('BAD_INPUT', { problem: `The request cannot be read: ${message.replace(/\.$/, '')}.` });
}

const isClientError = (error: FastifyError) =>
  error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;

/** What went wrong as a fault. Of the unexpected only the request's id goes out: its words may hold anything. */
function faultOf(error: FastifyError | Fault, requestId: string): Fault {
  if (error instanceof Fault) return error;
  if (isClientError(error)) return badRequest(error);
  return fault('INTERNAL', { problem: 'an unexpected fault', run: requestId }, error);
}

/** Answers with a fault as `{error: {code, message, hint, requestId}}`, under its status. */
function answerFault(request: FastifyRequest, reply: FastifyReply, problem: Fault, redact: Redact): FastifyReply {
  const { code, status } = problem;
  const [message, hint] = [redact(problem.message), redact(problem.hint)];
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.retry === 'later') reply.header('retry-after', '60');
  return reply.code(status).send({ error: { code, message, hint, requestId: request.id } });
}

/** An answer for what does not even become a request, such as a malformed URL. */
export function answerUnreadable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  answerFault(request, reply, badRequest(error), (text) => text);
}

/** Gives every error, and every address that does not exist, the one form. */
export function answerFaults(app: FastifyInstance, log: Log, redact: Redact): void {
  app.setErrorHandler((error: FastifyError | Fault, request, reply) => {
    const problem = faultOf(error, request.id);
    if (problem.status >= 500) log.error({ requestId: request.id, problem: error }, 'a request failed');
    return answerFault(request, reply, problem, redact);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = (request.url.split('?')[0] ?? '').slice(0, 200);
    return answerFault(request, reply, fault('UNKNOWN_ROUTE', { method: request.method, path }), redact);
  });
}
