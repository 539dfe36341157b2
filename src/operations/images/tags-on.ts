import type { Registry } from '../../core/registry.ts';

/** So many tags are looked at at a time. */
export const atOnce = 8;

/** The tags that are on a manifest: to delete it is to delete them all. */
export async function tagsOn(
  registry: Pick<Registry, 'tags' | 'digest'>,
  repository: string,
  digest: string,
  signal: AbortSignal,
): Promise<string[]> {
  const all = await registry.tags(repository, signal);
  const found: string[] = [];
  for (let n = 0; n < all.length; n += atOnce) {
    const some = all.slice(n, n + atOnce);
    const digests = await Promise.all(some.map((tag) => registry.digest(`${repository}:${tag}`, signal)));
    found.push(...some.filter((_tag, index) => digests[index] === digest));
  }
  return found;
}
