import { fault } from '../../core/errors.ts';
import { checkPart } from '../../core/oci-document.ts';
import type { Copied, Descriptor, Manifest, Registry } from '../../core/registry.ts';
import { blobOf, hasBlob, sendBlob } from './blobs.ts';
import { type Caller, located, type Named } from './caller.ts';

/** Blobs of one image that are on their way at once; each holds a chunk in memory. */
const atOnce = 3;

type Way = {
  call: Caller;
  reads: Pick<Registry, 'manifest' | 'referrers' | 'putManifest'>;
  from: Named;
  to: Named;
  seen: (text: string) => void;
  signal: AbortSignal;
};

const nameOf = ({ registry, repository }: Named) => `${registry}/${repository}`;
const short = (digest: string) => digest.slice(7, 19);
const megabytes = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MB`;

async function copyBlob({ call, from, to, seen, signal }: Way, { digest, size }: Descriptor): Promise<number> {
  if (await hasBlob(call, to, digest, signal)) return 0;
  const same = from.registry === to.registry;
  const content = () => blobOf(call, from, digest, signal);
  const mount = same ? { mount: { digest, from: from.repository } } : {};
  const { digest: sent, sent: bytes } = await sendBlob(call, to, { content, ...mount, again: true }, signal);
  if (sent !== digest)
    throw fault('REGISTRY_REFUSED', { registry: to.registry, problem: `${short(digest)} came out as ${short(sent)}` });
  seen(bytes === 0 ? `${short(digest)}: mounted` : `${short(digest)}: ${megabytes(size)} copied`);
  return bytes;
}

/** A few at a time; the first failure lets no other begin, and waits for those under way. */
async function each<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, () =>
    work().catch((thrown: unknown) => {
      queue.length = 0;
      throw thrown;
    }),
  );
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

/** Layers that are not the registry's to give (of Windows' base images) stay where they are. */
const isForeign = ({ mediaType }: Descriptor) => /foreign|nondistributable/.test(mediaType);

/** Copies a manifest with all below it; itself last, so that nothing is ever named that is not whole. */
async function copyTree(way: Way, manifest: Manifest, tag: string | undefined, count: Copied): Promise<void> {
  const { body, mediaType, bytes } = manifest;
  for (const child of body.manifests ?? []) {
    const found = await way.reads.manifest(`${nameOf(way.from)}@${child.digest}`, way.signal);
    if (!found)
      throw fault('REGISTRY_REFUSED', {
        registry: way.from.registry,
        problem: `it lacks ${child.digest}, a part of the image`,
      });
    checkPart({ image: `${nameOf(way.from)}@${short(child.digest)}` }, child, found.mediaType);
    await copyTree(way, found, undefined, count);
  }
  const blobs = [...(body.config ? [body.config] : []), ...(body.layers ?? []).filter((layer) => !isForeign(layer))];
  const once = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  await each(once, async (blob) => {
    const sent = await copyBlob(way, blob);
    count.sentBytes += sent;
    count.keptBytes += sent === 0 ? blob.size : 0;
  });
  const put = await way.reads.putManifest(nameOf(way.to), { mediaType, bytes }, tag, way.signal);
  if (put !== manifest.digest)
    throw fault('REGISTRY_REFUSED', {
      registry: way.to.registry,
      problem: `it calls ${short(manifest.digest)} ${short(put)}`,
    });
}

/** What refers to the image: signatures, SBOMs, scans. Best known to the registry, else under a tag made of the digest. */
async function copyReferrers(way: Way, digest: string, count: Copied): Promise<void> {
  const source = nameOf(way.from);
  for (const { digest: referrer } of await way.reads.referrers(`${source}@${digest}`, way.signal)) {
    const found = await way.reads.manifest(`${source}@${referrer}`, way.signal);
    if (found) await copyTree(way, found, undefined, count);
  }
  const tags = ['', '.sig', '.att', '.sbom'].map((ending) => `${digest.replace(':', '-')}${ending}`);
  for (const tag of tags) {
    const found = await way.reads.manifest(`${source}:${tag}`, way.signal);
    if (found) await copyTree(way, found, tag, count);
  }
}

/** @see Registry.copy */
export async function copyImage(
  call: Caller,
  reads: Way['reads'],
  { from, digest, to }: { from: string; digest: string; to: string },
  seen: (text: string) => void,
  signal: AbortSignal,
): Promise<Copied> {
  const [source, target] = [located(from), located(to)];
  const way: Way = { call, reads, from: source, to: target, seen, signal };
  const count: Copied = { digest, sentBytes: 0, keptBytes: 0 };
  const manifest = await reads.manifest(`${nameOf(source)}@${digest}`, signal);
  if (!manifest)
    throw fault('REGISTRY_REFUSED', {
      registry: source.registry,
      problem: `it has no ${nameOf(source)}@${short(digest)} any more`,
    });
  if (nameOf(source) !== nameOf(target)) {
    await copyTree(way, manifest, undefined, count);
    await copyReferrers(way, digest, count);
  }
  await reads.putManifest(nameOf(target), manifest, target.tag, signal);
  return count;
}
