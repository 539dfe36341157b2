import { request } from 'undici';
import { Fault, fault } from '../../core/errors.ts';
import type { Harbor, HarborAnswer, HarborCall } from '../../core/harbor.ts';
import type { HarborSettings } from '../../core/host-settings.ts';
import type { SecretRef } from '../../core/image-settings.ts';
import { at, digestOf, isObject, Json, type JsonObject, text } from '../../core/json.ts';
import { createRedact } from '../../core/redact.ts';
import { inPath } from '../../core/url-part.ts';
import { within } from '../../core/within.ts';

const callMs = 15_000;
const pageSize = 100;
const largestBytes = 32 * 1_048_576;

export type HarborOptions = {
  /** As the settings have it now. */
  settings: () => (Pick<HarborSettings, 'url'> & Partial<HarborSettings>) | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /** The value of a secret. @throws Fault where there is none */
  secret: (ref: SecretRef) => string;
};

type Asked = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: readonly string[];
  query?: Record<string, string>;
  body?: Json;
  /** A secret in the body, which Harbor may say again. */
  secret?: string;
};

/** Harbor decodes a repository's name once before and once after it finds the route: `team/web` is sent as `team%252Fweb`. */
const encoded = (part: string) => (part.includes('/') ? inPath(inPath(part)) : inPath(part));

/** Sorted out in Harbor's own words: `{errors: [{code, message}]}`. */
function messageOf(body: Json | undefined, status: number): string {
  const errors = at(body, 'errors');
  const said = Array.isArray(errors) ? errors.map((each) => text(at(each, 'message'))).filter(Boolean) : [];
  return said.join('; ') || `HTTP ${status}`;
}

const reportForm = 'application/vnd.security.vulnerability.report; version=1.1';

/** Asks Harbor once. Nothing is followed: its answer is never somewhere else. */
async function ask(options: HarborOptions, { method, path, query = {}, body, secret }: Asked, signal: AbortSignal) {
  const { settings, username, password } = options;
  const url = settings()?.url.replace(/(?<!\/)\/+$/, '');
  if (url === undefined) throw fault('HARBOR_OFF', {});
  const search = new URLSearchParams(query).toString();
  const address = `${url}/api/v2.0/${path.map(encoded).join('/')}${search === '' ? '' : `?${search}`}`;
  const authorization = `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
  try {
    const answer = await request(address, {
      method,
      headers: {
        accept: 'application/json',
        'x-accept-vulnerabilities': reportForm,
        ...(username !== undefined && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: within(signal, callMs),
    });
    const { statusCode: status, headers } = answer;
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of answer.body) {
      parts.push(part);
      size += part.length;
      if (size > largestBytes) throw new Error('its answer is larger than 32 MiB');
    }
    const said = Buffer.concat(parts).toString('utf8');
    return { status, headers, said: secret === undefined ? said : createRedact([secret])(said), url };
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const late = thrown instanceof Error && thrown.name === 'TimeoutError';
    const problem = late
      ? `no answer within ${callMs / 1_000} s`
      : thrown instanceof Error
        ? thrown.message || thrown.name
        : 'it broke';
    throw fault('HARBOR_UNREACHABLE', { url, problem }, thrown);
  }
}

const hints: Record<number, string> = {
  401: 'Check HARBOR_USERNAME and HARBOR_PASSWORD.',
  403: 'The account of HARBOR_USERNAME lacks the right for it.',
  412: 'Something in Harbor is in its way.',
};

/** All that Harbor says of another registry that it could not use. */
const unhealthy = 'Harbor does not reach it there, does not trust its certificate, or has a wrong account for it.';
const hintFor = (status: number, message: string): string =>
  /unhealthy/.test(message) ? unhealthy : (hints[status] ?? 'Correct it and ask again.');

const put = (body: Json | undefined, [key = '', ...rest]: readonly string[], value: string): JsonObject => ({
  ...(isObject(body) && body),
  [key]: rest.length === 0 ? value : put(at(body, key), rest, value),
});

/** A call with its password, which goes with the address that it is for and with no other. */
function withPassword({ settings, secret }: HarborOptions, call: Omit<HarborCall, 'done' | 'terms'>): Asked {
  const { password: place, login: planned, body, ...rest } = call;
  if (place === undefined) return { ...rest, ...(body !== undefined && { body }) };
  const { host } = new URL(text(at(body, 'url')));
  const { logins = {} } = settings() ?? {};
  const login = Object.hasOwn(logins, host) ? logins[host] : undefined;
  if (!login) throw fault('NO_SUCH_OBJECT', { kind: 'login', name: host, where: 'harbor.logins', near: '' });
  if (planned !== undefined && planned !== digestOf(login))
    throw fault('ANOTHER_BY_NOW', { kind: 'login of harbor.logins', name: host });
  const value = secret(login.password);
  return { ...rest, body: put(body, place, value), secret: value };
}

function bodyOf(url: string, said: string, status: number): Json | undefined {
  if (said.trim() === '') return undefined;
  try {
    return Json.parse(JSON.parse(said));
  } catch (thrown) {
    if (status >= 400) return undefined;
    throw fault('HARBOR_UNREACHABLE', { url, problem: `it answered “${said.slice(0, 80)}”` }, thrown);
  }
}

async function answered(
  options: HarborOptions,
  asked: Asked,
  signal: AbortSignal,
): Promise<HarborAnswer & { total: number }> {
  const { status, headers, said, url } = await ask(options, asked, signal);
  const body = bodyOf(url, said, status);
  const message = messageOf(body, status);
  if (status >= 500) throw fault('HARBOR_UNREACHABLE', { url, problem: message });
  if (status >= 300 && status !== 404 && status !== 409)
    throw fault('HARBOR_REFUSED', { problem: message, hint: hintFor(status, message) });
  const made = typeof headers.location === 'string' ? headers.location.split('/').at(-1) : undefined;
  return { status, body, message, made, total: Number(headers['x-total-count'] ?? 0) };
}

/** Harbor's own API, version 2: https://goharbor.io/docs/latest/working-with-projects/ */
export function createHarbor(options: HarborOptions): Harbor {
  return {
    read: async (path, query, signal) => {
      const { status, body } = await answered(options, { method: 'GET', path, query }, signal);
      return status === 404 ? undefined : body;
    },
    list: async (path, query, most, signal) => {
      const found: JsonObject[] = [];
      for (let page = 1; found.length < most; page++) {
        const paged = { ...query, page: String(page), page_size: String(Math.min(pageSize, most)) };
        const { status, body, total } = await answered(options, { method: 'GET', path, query: paged }, signal);
        const entries = status === 404 || !Array.isArray(body) ? [] : body.filter(isObject);
        found.push(...entries);
        if (entries.length === 0 || found.length >= total) break;
      }
      return found.slice(0, most);
    },
    send: async (call, signal) => {
      const answer = await answered(options, withPassword(options, call), signal);
      return { status: answer.status, body: answer.body, made: answer.made, message: answer.message };
    },
  };
}
