import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { Fault, fault } from '../../core/errors.ts';
import { type ImageReference, parseImage } from '../../core/image.ts';
import { within } from '../../core/within.ts';
import { authorizationFor, type Credentials } from './tokens.ts';

/** An answer's head, and each part of its body, must come within this. */
const callMs = 5_000;
const partMs = 30_000;
const waitsMs = [200, 800];
const mostRedirects = 3;

/** For `accept`: a registry keeps to itself a manifest in a form that it was not asked for. */
export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export type Named = ImageReference & { registry: string };

/** Docker Hub goes by two names that are not its address, and keeps its own images under `library/`. */
export function located(reference: string): Named {
  const image = parseImage(reference);
  if (image.registry && !/^(index\.)?docker\.io$/.test(image.registry)) return { ...image, registry: image.registry };
  const repository = image.repository.includes('/') ? image.repository : `library/${image.repository}`;
  return { ...image, repository, registry: 'registry-1.docker.io' };
}

export type RegistryOptions = {
  credentials?: readonly Credentials[];
  insecureHosts?: readonly string[];
  /** What the settings say of a host besides. */
  known?: (host: string) => { credentials?: Credentials | undefined; insecure?: boolean } | undefined;
};

function schemeOf(host: string, { insecureHosts = [], known }: RegistryOptions): string {
  const name = host.replace(/:\d+$/, '');
  const plain = name === 'localhost' || name.startsWith('127.') || insecureHosts.includes(host);
  return plain || known?.(host)?.insecure ? 'http' : 'https';
}

export type Call = {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v2/REPOSITORY/`, or a whole address that the registry named itself. */
  path: string | URL;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** What the token must be good for besides: a repository that blobs are taken from. */
  from?: string;
  /** A long body that is read or sent: each of its parts has a limit, and the whole has none. */
  long?: true;
  /** What the call may take, where that is more than is usual. */
  ms?: number;
};
type Repository = Pick<Named, 'registry' | 'repository'>;
export type Caller = {
  ask(image: Repository, call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData>;
  /** The address that a registry's own are relative to. */
  base(image: Repository): URL;
};

/** An address that a registry named. @throws Fault REGISTRY_REFUSED where it is none */
export function addressNamed(said: unknown, base: URL, registry: string): URL {
  const url = URL.parse(String(said ?? ''), base.href);
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw fault('REGISTRY_REFUSED', { registry, problem: 'it names an address that is none' });
}

const isRedirect = (status: number) => [301, 302, 303, 307, 308].includes(status);

/** Follows to where a registry keeps its blobs: nothing that proves who Shipmate is goes there. */
async function followed(first: Dispatcher.ResponseData, at: URL, headers: Record<string, string>, signal: AbortSignal) {
  let [answer, from] = [first, at];
  for (let n = 0; isRedirect(answer.statusCode); n++) {
    await answer.body.dump();
    const to = addressNamed(answer.headers.location, from, at.host);
    if (n === mostRedirects || (from.protocol === 'https:' && to.protocol !== 'https:'))
      throw fault('REGISTRY_REFUSED', {
        registry: at.host,
        problem: `it sends on to ${to.host}, which is not followed`,
      });
    answer = await request(to, { method: 'GET', headers, signal, headersTimeout: partMs, bodyTimeout: partMs });
    from = to;
  }
  return answer;
}

/** Asks registries, and answers their challenges. What proves who Shipmate is goes to the host that it is for, and to no other. */
export function createCaller(options: RegistryOptions): Caller {
  const tokens = new Map<string, string>();
  const base: Caller['base'] = ({ registry, repository }) =>
    new URL(`${schemeOf(registry, options)}://${registry}/v2/${repository}/`);
  const send: Caller['ask'] = async (at, { method = 'GET', path, body, from, long, ms = callMs, ...call }, signal) => {
    const { registry, repository } = at;
    const url = path instanceof URL ? path : new URL(path, base(at));
    const limited = long ? signal : within(signal, ms);
    const own = url.origin === base(at).origin;
    const key = `${registry}/${repository} ${method === 'GET' || method === 'HEAD' ? 'pull' : 'push'} ${from ?? ''}`;
    const ask = (authorization?: string) =>
      request(url, {
        method,
        headers: { accept: manifestTypes, ...call.headers, ...(authorization && own && { authorization }) },
        ...(body && { body }),
        signal: limited,
        headersTimeout: partMs,
        bodyTimeout: partMs,
      });
    let answer = await ask(tokens.get(key));
    const challenge = answer.headers['www-authenticate'];
    if (answer.statusCode === 401 && typeof challenge === 'string' && own) {
      await answer.body.dump();
      const credentials =
        options.known?.(registry)?.credentials ?? options.credentials?.find(({ host }) => host === registry);
      const scopes = from === undefined ? [] : [`repository:${from}:pull`];
      const authorization = await authorizationFor(registry, challenge, credentials, limited, scopes);
      if (authorization === undefined) throw fault('REGISTRY_FORBIDDEN', { registry });
      answer = await ask(authorization);
      if (answer.statusCode !== 401) tokens.set(key, authorization);
    }
    return method === 'GET' ? await followed(answer, url, { ...call.headers }, limited) : answer;
  };
  return { ask: send, base };
}

/** What a status means that was not hoped for. */
export async function refusal(registry: string, { statusCode, body }: Dispatcher.ResponseData): Promise<Fault> {
  const said = (await body.text().catch(() => '')).slice(0, 300);
  if (statusCode === 401 || statusCode === 403) return fault('REGISTRY_FORBIDDEN', { registry });
  const problem = `HTTP ${statusCode}${said === '' ? '' : `: ${said.trim()}`}`;
  if (statusCode >= 500 || statusCode === 429) return fault('REGISTRY_UNREACHABLE', { registry, problem });
  return fault('REGISTRY_REFUSED', { registry, problem });
}

/** Tries again where it may pass. @throws Fault REGISTRY_UNREACHABLE at the end of its patience */
export async function patiently<Result>(
  registry: string,
  signal: AbortSignal,
  act: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (thrown) {
      const wait = waitsMs[attempt];
      if (thrown instanceof Fault && thrown.retry === 'never') throw thrown;
      signal.throwIfAborted();
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      if (wait === undefined)
        throw thrown instanceof Fault ? thrown : fault('REGISTRY_UNREACHABLE', { registry, problem }, thrown);
      await sleep(wait, undefined, { signal });
    }
  }
}
