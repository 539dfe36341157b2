import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Who may drive the console. It acts as anybody in the workspace, perhaps beside a real cluster, and loopback is open to every program and
 * page on this machine: so what it tells and does is for those alone who have the token that the sandbox printed.
 */

/** Nothing from elsewhere in the page, and the page nowhere else: not in a frame, where a click could be stolen. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** By the name that it has here, and not by one that somebody made point to this machine; from its own page, where a browser says from where. */
export function isOwnPage(headers: IncomingHttpHeaders, port: number): boolean {
  const { host = '', origin } = headers;
  return (
    [`127.0.0.1:${port}`, `localhost:${port}`].includes(host) && (origin === undefined || origin === `http://${host}`)
  );
}

/** Whether the request bears the token: as a bearer, or in the address where a browser sends no header (pictures, events). */
export function bearsToken(headers: IncomingHttpHeaders, query: URLSearchParams, token: string): boolean {
  const given = Buffer.from(headers.authorization?.replace(/^Bearer /, '') ?? query.get('token') ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
