import type { RequestListener } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Hands Slack's requests over as they came: the signature is over the body's bytes, so nothing may read them before. */
export function slackMount(listener: RequestListener) {
  return async (app: FastifyInstance): Promise<void> => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.post('/slack/events', (request, reply) => {
      reply.hijack();
      listener(request.raw, reply.raw);
    });
  };
}
