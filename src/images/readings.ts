import { fault } from '../core/errors.ts';
import { checkPart, isRunnable, readImageConfig } from '../core/oci-document.ts';
import type { Descriptor, Manifest, Registry } from '../core/registry.ts';
import type { PinnedImage } from './pinned.ts';
import { createRemembered, type Remembered } from './remembered.ts';

/** An index of all platforms that there are, each with its attestation, lists fewer. */
const mostParts = 200;
const atOnce = 8;

type Reads = Pick<Registry, 'manifest' | 'blob'>;
type Looking = { registry: Reads; image: PinnedImage; passed: Remembered; signal: AbortSignal };

/** What passed, for each client of registries: parts by what their index says of them, and configurations. */
const passedBy = new WeakMap<Reads, Remembered>();

function passedOf(registry: Reads): Remembered {
  const passed = passedBy.get(registry) ?? createRemembered();
  passedBy.set(registry, passed);
  return passed;
}

async function checkConfig({ registry, image, passed, signal }: Looking, { body }: Manifest): Promise<void> {
  const { config } = body;
  if (!config || !isRunnable(body)) return;
  await passed.once(`config ${config.digest}`, signal, async () => {
    readImageConfig({ image: image.short }, await registry.blob(image.name, config.digest, signal));
    return 'passed';
  });
}

/** Looks at a part of an index. @returns what it lists itself; nothing where it passed before: only what lists nothing is remembered */
async function partsBelow(looking: Looking, listed: Descriptor): Promise<Descriptor[]> {
  const { registry, image, passed, signal } = looking;
  let below: Descriptor[] = [];
  await passed.once(`${listed.digest} ${listed.mediaType}`, signal, async () => {
    const found = await registry.manifest(`${image.name}@${listed.digest}`, signal);
    // Not every platform has to be kept; it may come later.
    if (!found) return 'unknown';
    checkPart({ image: `${image.short}, its part ${listed.digest.slice(0, 19)},` }, listed, found.mediaType);
    await checkConfig(looking, found);
    below = found.body.manifests ?? [];
    return below.length === 0 ? 'passed' : 'unknown';
  });
  return below;
}

/**
 * Whether all programs read the same of an image: the scanner, the signer and whoever runs it, each on its own. It is read whole: its
 * manifest, what an index lists, and the configurations. What its manifest lists by digest and passed once is not read again; the
 * manifest itself is, each time: whether it may be read, and the type that the registry calls it by, its digest does not say.
 * @throws Fault IMAGE_AMBIGUOUS; REGISTRY_UNREACHABLE, …
 */
export async function checkOneReading(registry: Reads, image: PinnedImage, signal: AbortSignal): Promise<void> {
  const looking: Looking = { registry, image, passed: passedOf(registry), signal };
  const whole = await registry.manifest(image.pinned, signal);
  if (!whole) return;
  await checkConfig(looking, whole);
  const waiting = [...(whole.body.manifests ?? [])];
  for (let seen = 0; waiting.length > 0; ) {
    const some = waiting.splice(0, atOnce);
    seen += some.length;
    if (seen > mostParts)
      throw fault('IMAGE_AMBIGUOUS', {
        image: image.short,
        problem: `it has more than ${mostParts} parts, which nobody looks through`,
      });
    waiting.push(...(await Promise.all(some.map((listed) => partsBelow(looking, listed)))).flat());
  }
}
