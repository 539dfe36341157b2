import { request } from 'undici';
import { z } from 'zod';
import { readOrNothing } from '../../core/one-reading.ts';

export type Credentials = { host: string; username: string; password: string };

const Answer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** `Bearer realm="…",service="…",scope="…"`, taken apart. */
function challengeOf(header: string): { scheme: string; fields: Record<string, string> } {
  const [scheme = '', ...rest] = header.split(' ');
  const fields = [...rest.join(' ').matchAll(/(?<!\w)(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  return { scheme: scheme.toLowerCase(), fields: Object.fromEntries(fields) };
}

const basic = ({ username, password }: Credentials) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The site that a host belongs to: `auth.docker.io` and `registry-1.docker.io` are both `docker.io`'s. */
const siteOf = (host: string) => host.replace(/:\d+$/, '').split('.').slice(-2).join('.');

/**
 * The Authorization header that a registry's challenge asks for, or undefined where there is none to give.
 * Credentials go only to the registry they belong to, and to a token server of the same site over TLS (or on this machine).
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export async function authorizationFor(
  host: string,
  challenge: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
  scopes: readonly string[] = [],
): Promise<string | undefined> {
  const { scheme, fields } = challengeOf(challenge);
  if (scheme === 'basic') return credentials && basic(credentials);
  if (scheme !== 'bearer' || !fields.realm) return undefined;
  const realm = URL.parse(fields.realm);
  if (!realm || !/^https?:$/.test(realm.protocol)) return undefined;
  for (const name of ['service', 'scope']) if (fields[name]) realm.searchParams.set(name, fields[name]);
  for (const scope of scopes) realm.searchParams.append('scope', scope);
  const trusted = realm.host === host || (realm.protocol === 'https:' && siteOf(realm.host) === siteOf(host));
  const headers = credentials && trusted ? { authorization: basic(credentials) } : {};
  const { statusCode, body } = await request(realm, { headers, signal });
  if (statusCode !== 200) return undefined;
  const { token, access_token } = Answer.parse(readOrNothing(await body.bytes(), 'any'));
  const given = token ?? access_token;
  return given === undefined ? undefined : `Bearer ${given}`;
}
