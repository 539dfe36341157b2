import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { Fault, fault } from '../../core/errors.ts';
import { type ImageReference, parseImage } from '../../core/image.ts';
import { didYouMean } from '../../core/near.ts';
import type { Registry } from '../../core/ports.ts';
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
const digestForm = /^sha256:[a-f0-9]{64}$/;

const Tags = z.object({ tags: z.array(z.string()).nullish() });

type Named = ImageReference & { registry: string };

/** Docker Hub goes by a name that is not its address, and keeps its own images under `library/`. */
function located(reference: string): Named {
  const image = parseImage(reference);
  if (image.registry && image.registry !== 'docker.io') return { ...image, registry: image.registry };
  const repository = image.repository.includes('/') ? image.repository : `library/${image.repository}`;
  return { ...image, repository, registry: 'registry-1.docker.io' };
}

function schemeOf(host: string, insecure: readonly string[]): string {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name.startsWith('127.') || insecure.includes(host) ? 'http' : 'https';
}

type Options = { credentials?: readonly Credentials[]; insecureHosts?: readonly string[] };
type Caller = (
  image: Named,
  path: string,
  method: 'GET' | 'HEAD',
  signal: AbortSignal,
) => Promise<Dispatcher.ResponseData>;

/** Asks a registry below `/v2/REPOSITORY/`, and answers its challenge where it has one. */
function createCaller(options: Options): Caller {
  return async (image, path, method, signal) => {
    const { registry } = image;
    const url = `${schemeOf(registry, options.insecureHosts ?? [])}://${registry}/v2/${image.repository}/${path}`;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
    const ask = (authorization?: string) =>
      request(url, {
        method,
        headers: { accept: manifestTypes, ...(authorization && { authorization }) },
        signal: limited,
      });
    const first = await ask();
    const challenge = first.headers['www-authenticate'];
    if (first.statusCode !== 401 || typeof challenge !== 'string') return first;
    await first.body.dump();
    const own = options.credentials?.find(({ host }) => host === registry);
    const authorization = await authorizationFor(registry, challenge, own, limited);
    if (authorization === undefined) throw fault('REGISTRY_FORBIDDEN', { registry });
    return await ask(authorization);
  };
}

async function patiently<Result>(registry: string, signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
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

/** Reads images of OCI registries: https://github.com/opencontainers/distribution-spec */
export function createRegistry(options: Options = {}): Registry {
  const call = createCaller(options);

  /** What the registry does have, to name the tag that was probably meant. Best effort: it must not hide the real answer. */
  const nearTag = async (image: Named, signal: AbortSignal): Promise<string> => {
    const answer = await call(image, 'tags/list?n=500', 'GET', signal).catch(() => undefined);
    if (answer?.statusCode !== 200) return '';
    const tags = Tags.safeParse(await answer.body.json()).data?.tags ?? [];
    const meant = didYouMean(image.tag ?? 'latest', tags);
    const newest = tags.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).slice(-5);
    return meant === '' && newest.length > 0 ? ` It has ${newest.join(', ')}.` : meant;
  };

  const digestOf = async (image: Named, reference: string, app: string, signal: AbortSignal): Promise<string> => {
    const { registry } = image;
    const path = `manifests/${image.digest ?? image.tag ?? 'latest'}`;
    const head = await call(image, path, 'HEAD', signal);
    await head.body.dump();
    if (head.statusCode === 404)
      throw fault('IMAGE_NOT_FOUND', { registry, image: reference, near: await nearTag(image, signal), app });
    if (head.statusCode === 401 || head.statusCode === 403) throw fault('REGISTRY_FORBIDDEN', { registry });
    if (head.statusCode !== 200) throw fault('REGISTRY_UNREACHABLE', { registry, problem: `HTTP ${head.statusCode}` });
    const told = head.headers['docker-content-digest'];
    const digest = typeof told === 'string' ? told : await digestOfBody(await call(image, path, 'GET', signal));
    if (!digestForm.test(digest) || (image.digest !== undefined && image.digest !== digest))
      throw fault('IMAGE_PLATFORM', { image: reference, problem: `its digest is “${digest.slice(0, 80)}”` });
    return digest;
  };

  return {
    resolve: (reference, app, signal) => {
      const image = located(reference);
      return patiently(image.registry, signal, () => digestOf(image, reference, app, signal));
    },
  };
}

async function digestOfBody({ body }: Dispatcher.ResponseData): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(Buffer.from(await body.arrayBuffer()))
    .digest('hex')}`;
}
