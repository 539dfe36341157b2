import { createServer, type RequestListener, type Server } from 'node:http';

/** For a request's head and body to arrive; an answer, such as a stream of events, may take as long as it likes. */
export const requestTimeout = 30_000;

const isSlack = (url = '') => url === '/slack/events' || url.startsWith('/slack/events?');

/**
 * A server whose requests from Slack go straight to their listener, as they came: the signature is over the body's bytes,
 * and Slack waits three seconds, so nothing stands in between. Everything else is the web framework's.
 */
export function behindSlack(slack: RequestListener): (rest: RequestListener) => Server {
  return (rest) =>
    createServer({ requestTimeout }, (request, response) => {
      const listener = isSlack(request.url) ? slack : rest;
      listener(request, response);
    });
}
