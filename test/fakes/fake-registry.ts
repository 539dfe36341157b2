import type { Docker } from '../../src/core/build.ts';
import { fault } from '../../src/core/errors.ts';
import { parseImage, repositoryOf } from '../../src/core/image.ts';
import type { Registry } from '../../src/core/registry.ts';

const bytes = Buffer.from('{}');

/** A registry that knows of images by their names alone. */
export function fakeRegistry(digests: Map<string, string>): Registry {
  const digestOf = (reference: string): string | undefined => {
    const [name = '', pinned] = reference.split('@');
    return pinned ?? digests.get(name);
  };
  const tagsOf = (repository: string) =>
    [...digests.keys()]
      .filter((name) => repositoryOf(parseImage(name)) === repository)
      .map((name) => parseImage(name).tag ?? '');
  return {
    resolve: async (reference) => {
      const digest = digestOf(reference);
      if (digest) return digest;
      throw fault('IMAGE_NOT_FOUND', { registry: '127.0.0.1:5000', image: reference, near: '', app: 'web' });
    },
    manifest: async (reference) => {
      const digest = digestOf(reference);
      return digest === undefined ? undefined : { digest, mediaType: 'application/json', bytes, body: {} };
    },
    digest: async (reference) => digestOf(reference),
    tags: async (repository) => tagsOf(repository),
    referrers: async () => [],
    blob: async () => bytes,
    readBlob: async () =>
      (async function* () {
        yield bytes;
      })(),
    writeBlob: async () => ({ digest: `sha256:${'d'.repeat(64)}`, size: bytes.length }),
    putManifest: async () => `sha256:${'d'.repeat(64)}`,
    copy: async (_from, digest, to) => {
      digests.set(to, digest);
      return { digest, sentBytes: 0, keptBytes: 0 };
    },
    remove: async (repository, digest) => {
      const gone = tagsOf(repository).filter((tag) => digests.get(`${repository}:${tag}`) === digest);
      for (const tag of gone) digests.delete(`${repository}:${tag}`);
      return gone.length > 0;
    },
  };
}

/** A daemon that builds whatever it is asked for, and whose pushes the registry has. */
export function fakeDocker(digests: Map<string, string>): Docker {
  const digest = `sha256:${'b'.repeat(64)}`;
  const push: Docker['push'] = async (tag) => {
    digests.set(tag, digest);
    return { digest };
  };
  return {
    look: async () => ({
      id: `sha256:${'c'.repeat(64)}`,
      files: 2,
      bytes: 100,
      dockerfile: `sha256:${'f'.repeat(64)}`,
      warnings: [],
    }),
    build: async (_order, seen) => seen({ text: 'RUN make', step: 1, steps: 1 }),
    pushBuilt: (order, seen, signal) => push(order.image, seen, signal),
    push,
    image: async () => ({ id: digest, parts: [] }),
  };
}
