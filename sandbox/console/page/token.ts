/**
 * The token that lets this page in stands behind the # of the address that the sandbox prints: no server is ever sent it as an
 * address. It is kept for this very host and port, so that a second window needs none, and unlike a cookie it goes to no other port.
 */
const place = 'shipmate-console-token';

/** Keeps the token of the address, before the page changes its address. */
export function keepToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) localStorage.setItem(place, given);
}

export const token = (): string => localStorage.getItem(place) ?? '';

/** An address of the console's own server for what sends no headers: pictures and events. */
export const withToken = (path: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}token=${encodeURIComponent(token())}`;
