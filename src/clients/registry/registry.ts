import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { didYouMean } from '../../core/near.ts';
import type { Registry } from '../../core/ports.ts';
import { createCaller, located, type Named, patiently, type RegistryOptions } from './caller.ts';

const digestForm = /^sha256:[a-f0-9]{64}$/;

const Tags = z.object({ tags: z.array(z.string()).nullish() });

/** Reads images of OCI registries: https://github.com/opencontainers/distribution-spec */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const call = createCaller(options);

  /** What the registry does have, to name the tag that was probably meant. Best effort: it must not hide the real answer. */
  const nearTag = async (image: Named, signal: AbortSignal): Promise<string> => {
    const answer = await call(image, 'tags/list?n=500', { method: 'GET' }, signal).catch(() => undefined);
    if (answer?.statusCode !== 200) return '';
    const tags = Tags.safeParse(await answer.body.json()).data?.tags ?? [];
    const meant = didYouMean(image.tag ?? 'latest', tags);
    const newest = tags.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).slice(-5);
    return meant === '' && newest.length > 0 ? ` It has ${newest.join(', ')}.` : meant;
  };

  const digestOf = async (image: Named, reference: string, app: string, signal: AbortSignal): Promise<string> => {
    const { registry } = image;
    const path = `manifests/${image.digest ?? image.tag ?? 'latest'}`;
    const head = await call(image, path, { method: 'HEAD' }, signal);
    await head.body.dump();
    if (head.statusCode === 404)
      throw fault('IMAGE_NOT_FOUND', { registry, image: reference, near: await nearTag(image, signal), app });
    if (head.statusCode === 401 || head.statusCode === 403) throw fault('REGISTRY_FORBIDDEN', { registry });
    if (head.statusCode !== 200) throw fault('REGISTRY_UNREACHABLE', { registry, problem: `HTTP ${head.statusCode}` });
    const told = head.headers['docker-content-digest'];
    const digest =
      typeof told === 'string' ? told : await digestOfBody(await call(image, path, { method: 'GET' }, signal));
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
