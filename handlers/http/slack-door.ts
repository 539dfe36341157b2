import { createServer, type RequestListener, type Server } from 'node:http';
import { bodyMs, limitBody, uploadMs } from './body-time.ts';

const isSlack = (url = '') => url === '/slack/events' || url.startsWith('/slack/events?');

/**
 * A server whose requests from Slack go straight to their listener, as they came: the signature is over the body's bytes,
 * and Slack waits three seconds, so nothing stands in between. Everything else is the web framework's.
 */
export function behindSlack(slack: RequestListener): (rest: RequestListener) => Server {
  return (rest) =>
    createServer({ requestTimeout: uploadMs, headersTimeout: bodyMs }, (request, response) => {
      limitBody(request, bodyMs);
      const listener = isSlack(request.url) ? slack : rest;
      listener(request, response);
    });
}
