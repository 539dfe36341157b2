import type { IncomingMessage } from 'node:http';

/** For a request's head and body to arrive; an answer, such as a stream of events, may take as long as it likes. */
export const bodyMs = 30_000;
/** The same for a file. Node has one limit for all requests of a server, so it has this one, and each request its own. */
export const uploadMs = 30 * 60_000;

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/** Ends the connection of a request whose body has not arrived in time; said again, the newer time counts, from now on. */
export function limitBody(request: IncomingMessage, ms: number): void {
  const known = timers.has(request);
  clearTimeout(timers.get(request));
  const late = () => request.complete || request.destroy();
  timers.set(request, setTimeout(late, ms).unref());
  if (!known) request.once('close', () => clearTimeout(timers.get(request)));
}
