import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { Fault, fault } from '../../core/errors.ts';
import { type ImageReference, parseImage } from '../../core/image.ts';
import { authorizationFor, type Credentials } from './tokens.ts';

const callMs = 5_000;
const waitsMs = [200, 800];
/** For `accept`: a registry keeps to itself a manifest in a form that it was not asked for. */
export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export type Named = ImageReference & { registry: string };

/** Docker Hub goes by a name that is not its address, and keeps its own images under `library/`. */
export function located(reference: string): Named {
  const image = parseImage(reference);
  if (image.registry && image.registry !== 'docker.io') return { ...image, registry: image.registry };
  const repository = image.repository.includes('/') ? image.repository : `library/${image.repository}`;
  return { ...image, repository, registry: 'registry-1.docker.io' };
}

function schemeOf(host: string, insecure: readonly string[]): string {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name.startsWith('127.') || insecure.includes(host) ? 'http' : 'https';
}

export type RegistryOptions = { credentials?: readonly Credentials[]; insecureHosts?: readonly string[] };

export type Call = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** `contentType` says what the body is. */
  body?: Buffer;
  contentType?: string;
  /** What the call may take; longer for what is large. */
  ms?: number;
};
export type Caller = (image: Named, path: string, call: Call, signal: AbortSignal) => Promise<Dispatcher.ResponseData>;

/**
 * Asks a registry below `/v2/REPOSITORY/`, and answers its challenge where it has one. The path may be a whole address, as
 * uploads are given one; on another host than the registry's own it hears of no credentials.
 */
export function createCaller(options: RegistryOptions): Caller {
  return async (image, path, { method, body, contentType, ms = callMs }, signal) => {
    const { registry } = image;
    const home = `${schemeOf(registry, options.insecureHosts ?? [])}://${registry}`;
    const url = new URL(path, `${home}/v2/${image.repository}/`);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
    const ask = (authorization?: string) =>
      request(url, {
        method,
        headers: {
          accept: manifestTypes,
          ...(contentType && { 'content-type': contentType }),
          ...(authorization && { authorization }),
        },
        body: body ?? null,
        signal: limited,
      });
    const first = await ask();
    const challenge = first.headers['www-authenticate'];
    if (first.statusCode !== 401 || typeof challenge !== 'string' || url.host !== new URL(home).host) return first;
    await first.body.dump();
    const own = options.credentials?.find(({ host }) => host === registry);
    const authorization = await authorizationFor(registry, challenge, own, limited);
    if (authorization === undefined) throw fault('REGISTRY_FORBIDDEN', { registry });
    return await ask(authorization);
  };
}

/** Acts, and twice more where the registry does not answer. @throws Fault REGISTRY_UNREACHABLE */
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
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      if (wait === undefined || signal.aborted)
        throw thrown instanceof Fault ? thrown : fault('REGISTRY_UNREACHABLE', { registry, problem }, thrown);
      await sleep(wait, undefined, { signal });
    }
  }
}
