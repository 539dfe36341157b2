import { createHash } from 'node:crypto';
import { z } from 'zod';
import { manifestShape, tagsShape } from '../../core/document-shapes.ts';
import { fault } from '../../core/errors.ts';
import { didYouMean } from '../../core/near.ts';
import { readManifest } from '../../core/oci-document.ts';
import { readOrNothing, type Shape } from '../../core/one-reading.ts';
import { Descriptor, type Manifest, type Registry } from '../../core/registry.ts';
import { wrong } from './blobs.ts';
import { addressNamed, type Caller, located, type Named, patiently, refusal } from './caller.ts';

const digestForm = /^sha256:[a-f0-9]{64}$/;
/** What a manifest, or a small blob that is read whole, may be. */
const largestBytes = 8 * 1_048_576;
const mostPages = 200;

const Tags = z.object({ tags: z.array(z.string()).nullish() });
const Referrers = z.object({ manifests: z.array(Descriptor).default([]) });

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const referenceIn = ({ digest, tag }: Named): string => digest ?? tag ?? 'latest';

export async function wholeOf(registry: string, content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of content) {
    size += part.length;
    if (size > largestBytes) throw fault('REGISTRY_REFUSED', { registry, problem: 'its answer is larger than 8 MiB' });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A page of a list. @throws Fault REGISTRY_REFUSED where it is none, or programs would read it differently */
async function pageOf(registry: string, content: AsyncIterable<Uint8Array>, shape: Shape): Promise<unknown> {
  const page = readOrNothing(await wholeOf(registry, content), shape);
  if (page === undefined)
    throw fault('REGISTRY_REFUSED', { registry, problem: 'it answers with something that is no list' });
  return page;
}

type Pages = (image: Named, first: string, shape: Shape, signal: AbortSignal) => AsyncGenerator<unknown>;

type Served = { digest: string; bytes: Uint8Array; told: string };

/** What is served under a tag or digest, as it came, where it is what its digest says. */
function createServed(call: Caller): (reference: string, signal: AbortSignal) => Promise<Served | undefined> {
  return (reference, signal) => {
    const image = located(reference);
    const { registry } = image;
    return patiently(registry, signal, async (): Promise<Served | undefined> => {
      const answer = await call.ask(image, { path: `manifests/${referenceIn(image)}` }, signal);
      if (answer.statusCode === 404) {
        await answer.body.dump();
        return undefined;
      }
      if (answer.statusCode !== 200) throw await refusal(registry, answer);
      const bytes = await wholeOf(registry, answer.body);
      const digest = sha256(bytes);
      if (image.digest !== undefined && image.digest !== digest) throw wrong(registry, image.digest, digest);
      const told = (String(answer.headers['content-type'] ?? '').split(';')[0] ?? '').trim().toLowerCase();
      return { digest, bytes, told };
    });
  };
}

function createManifest(served: ReturnType<typeof createServed>): Registry['manifest'] {
  return async (reference, signal): Promise<Manifest | undefined> => {
    const found = await served(reference, signal);
    if (!found) return undefined;
    const { digest, bytes, told } = found;
    const body = readManifest({ registry: located(reference).registry, image: reference }, bytes, told);
    return { digest, mediaType: body.mediaType ?? told, bytes, body };
  };
}

function createPages(call: Caller): Pages {
  /** The pages of a list; `Link` names the next one. */
  const pages: Pages = async function* (image, first, shape, signal) {
    let path: string | URL = first;
    for (let n = 0; n < mostPages; n++) {
      const here: string | URL = path;
      const answer = await call.ask(image, { path: here }, signal);
      if (answer.statusCode === 404) return void (await answer.body.dump());
      if (answer.statusCode !== 200) throw await refusal(image.registry, answer);
      yield await pageOf(image.registry, answer.body, shape);
      const [, next] = /<([^<>]+)>;\s*rel="?next"?/.exec(String(answer.headers.link ?? '')) ?? [];
      if (next === undefined) return;
      // Only its query is taken: a list goes on where it began.
      path = `${first.split('?')[0]}${addressNamed(next, new URL('http://x'), image.registry).search}`;
    }
  };
  return pages;
}

function createTags(pages: Pages): Registry['tags'] {
  const tags: Registry['tags'] = (repository, signal) => {
    const image = located(repository);
    return patiently(image.registry, signal, async () => {
      const found: string[] = [];
      for await (const page of pages(image, 'tags/list?n=1000', tagsShape, signal))
        found.push(...(Tags.parse(page).tags ?? []));
      return found;
    });
  };
  return tags;
}

function createResolve(call: Caller, digestIn: Registry['digest'], tags: Registry['tags']): Registry['resolve'] {
  /** What the registry does have, to name the tag that was probably meant. Best effort: it must not hide the real answer. */
  const nearTag = async (image: Named, signal: AbortSignal): Promise<string> => {
    const found = await tags(`${image.registry}/${image.repository}`, signal).catch(() => []);
    const own = found.filter((tag) => !tag.startsWith('shipmate-') && !/^sha256-/.test(tag));
    const meant = didYouMean(image.tag ?? 'latest', own);
    const newest = own.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).slice(-5);
    return meant === '' && newest.length > 0 ? ` It has ${newest.join(', ')}.` : meant;
  };

  const digestOf = async (image: Named, reference: string, app: string, signal: AbortSignal): Promise<string> => {
    const { registry } = image;
    const head = await call.ask(image, { method: 'HEAD', path: `manifests/${referenceIn(image)}` }, signal);
    if (head.statusCode === 404) {
      await head.body.dump();
      throw fault('IMAGE_NOT_FOUND', { registry, image: reference, near: await nearTag(image, signal), app });
    }
    if (head.statusCode !== 200) throw await refusal(registry, head);
    await head.body.dump();
    const told = head.headers['docker-content-digest'];
    const digest = typeof told === 'string' ? told : ((await digestIn(reference, signal)) ?? '');
    if (!digestForm.test(digest) || (image.digest !== undefined && image.digest !== digest))
      throw fault('IMAGE_PLATFORM', { image: reference, problem: `its digest is “${digest.slice(0, 80)}”` });
    return digest;
  };
  return (reference, app, signal) => {
    const image = located(reference);
    return patiently(image.registry, signal, () => digestOf(image, reference, app, signal));
  };
}

function createReferrers(pages: Pages, manifest: Registry['manifest']): Registry['referrers'] {
  const referrers: Registry['referrers'] = (reference, signal) => {
    const image = located(reference);
    return patiently(image.registry, signal, async () => {
      const found: Descriptor[] = [];
      for await (const page of pages(image, `referrers/${image.digest ?? ''}`, manifestShape, signal))
        found.push(...(Referrers.safeParse(page).data?.manifests ?? []));
      if (found.length > 0 || image.digest === undefined) return found;
      // A registry that knows of no referrers has them under a tag that is made of the digest.
      const listed = await manifest(`${image.registry}/${image.repository}:${image.digest.replace(':', '-')}`, signal);
      return listed?.body.manifests ?? [];
    });
  };
  return referrers;
}

/** What is read of a registry: manifests, tags, digests, referrers. */
export function createReads(call: Caller): Pick<Registry, 'manifest' | 'digest' | 'tags' | 'resolve' | 'referrers'> {
  const served = createServed(call);
  const digest: Registry['digest'] = async (reference, signal) => (await served(reference, signal))?.digest;
  const manifest = createManifest(served);
  const pages = createPages(call);
  const tags = createTags(pages);
  const resolve = createResolve(call, digest, tags);
  return { manifest, digest, tags, resolve, referrers: createReferrers(pages, manifest) };
}
