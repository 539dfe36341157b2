import { fault } from '../core/errors.ts';
import { checkPart, isRunnable, readImageConfig } from '../core/oci-document.ts';
import type { Descriptor, Manifest, Registry } from '../core/registry.ts';
import type { PinnedImage } from './pinned.ts';

/** An index of all platforms that there are, each with its attestation, lists fewer. */
const mostParts = 200;
const atOnce = 8;

type Reads = Pick<Registry, 'manifest' | 'blob'>;

async function checkConfig(registry: Reads, image: PinnedImage, { body }: Manifest, signal: AbortSignal) {
  if (!body.config || !isRunnable(body)) return;
  readImageConfig({ image: image.short }, await registry.blob(image.name, body.config.digest, signal));
}

/**
 * Whether all programs read the same of an image: the scanner, the signer and whoever runs it, each on its own. It is read whole: its
 * manifest, what an index lists, and the configurations. Its digest stands for all of these, so what is read once stays so.
 * @throws Fault IMAGE_AMBIGUOUS; REGISTRY_UNREACHABLE, …
 */
export async function checkOneReading(registry: Reads, image: PinnedImage, signal: AbortSignal): Promise<void> {
  const { name, short, pinned } = image;
  const partOf = async (listed: Descriptor): Promise<Descriptor[]> => {
    const found = await registry.manifest(`${name}@${listed.digest}`, signal);
    // Not every platform has to be kept.
    if (!found) return [];
    checkPart({ image: `${short}, its part ${listed.digest.slice(0, 19)},` }, listed, found.mediaType);
    await checkConfig(registry, image, found, signal);
    return found.body.manifests ?? [];
  };
  const whole = await registry.manifest(pinned, signal);
  if (!whole) return;
  await checkConfig(registry, image, whole, signal);
  const waiting = [...(whole.body.manifests ?? [])];
  for (let seen = 0; waiting.length > 0; ) {
    const some = waiting.splice(0, atOnce);
    seen += some.length;
    if (seen > mostParts)
      throw fault('IMAGE_AMBIGUOUS', {
        image: short,
        problem: `it has more than ${mostParts} parts, which nobody looks through`,
      });
    waiting.push(...(await Promise.all(some.map(partOf))).flat());
  }
}
