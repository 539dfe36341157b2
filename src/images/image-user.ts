import { Fault } from '../core/errors.ts';
import { isRunnable, readImageConfig } from '../core/oci-document.ts';
import { oneLine } from '../core/one-line.ts';
import type { Manifest, Registry } from '../core/registry.ts';
import type { PinnedImage } from './pinned.ts';

/** Whom a container of an image runs as, by the image's own word: `named` may be anybody, root too. */
export type ImageUser = { kind: 'number' } | { kind: 'named'; user: string } | { kind: 'root' } | { kind: 'unknown' };

type Reads = Pick<Registry, 'manifest' | 'blob'>;

/** More platforms than any image has; a configuration that is larger is none. */
const most = { platforms: 30, bytes: 1_048_576 };

/** What runs elsewhere than on Linux, and what does not run at all: attestations. */
const elsewhere = ['unknown', 'windows'];

/** @example `1000`, `1000:1000`, `app`, `root:root` */
function userCalled(written: string): ImageUser {
  const [user = ''] = written.split(':');
  if (/^\d+$/.test(user)) return Number(user) === 0 ? { kind: 'root' } : { kind: 'number' };
  return user === '' || user === 'root' ? { kind: 'root' } : { kind: 'named', user: oneLine(user) };
}

/** Registries keep configurations apart from manifests: those may be out of reach, and the nodes pull the image all the same. */
async function userOf(
  registry: Reads,
  { name, short }: PinnedImage,
  { body }: Manifest,
  signal: AbortSignal,
): Promise<ImageUser> {
  if (!body.config || !isRunnable(body) || body.config.size > most.bytes) return { kind: 'unknown' };
  try {
    const bytes = await registry.blob(name, body.config.digest, signal);
    return userCalled(readImageConfig({ image: short }, bytes).config?.User ?? '');
  } catch (thrown) {
    if (thrown instanceof Fault) return { kind: 'unknown' };
    throw thrown;
  }
}

async function read(registry: Reads, image: PinnedImage, signal: AbortSignal): Promise<ImageUser> {
  const whole = await registry.manifest(image.pinned, signal);
  const listed = (whole?.body.manifests ?? []).filter(({ platform }) => !elsewhere.includes(platform?.os ?? ''));
  if (!whole || listed.length > most.platforms) return { kind: 'unknown' };
  const parts = await Promise.all(listed.map(({ digest }) => registry.manifest(`${image.name}@${digest}`, signal)));
  // Not every platform has to be kept.
  const there = whole.body.manifests ? parts.filter((part) => part !== undefined) : [whole];
  const users = await Promise.all(there.map((part) => userOf(registry, image, part, signal)));
  const worst = (['root', 'unknown', 'named', 'number'] as const).map((kind) =>
    users.find((user) => user.kind === kind),
  );
  return worst.find((user) => user !== undefined) ?? { kind: 'unknown' };
}

/**
 * Whom an image's containers run as where nobody says it: on all its platforms, the most powerful counts. Unknown where the
 * registry does not tell.
 * @throws Fault REGISTRY_UNREACHABLE
 */
export async function imageUser(registry: Reads, image: PinnedImage, signal: AbortSignal): Promise<ImageUser> {
  try {
    return await read(registry, image, signal);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retry === 'never') return { kind: 'unknown' };
    throw thrown;
  }
}
