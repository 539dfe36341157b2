import { type ContextSource, contextTag, contextTags } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import { contextLimit } from '../../core/image-settings.ts';
import { unlessAmbiguous } from '../../core/oci-document.ts';
import { wholeName } from '../../core/own-images.ts';
import type { Manifest, Registry } from '../../core/registry.ts';
import type { KeepContext } from '../../core/upload.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const contextType = 'application/vnd.shipmate.context.v1';
const createdAt = 'org.opencontainers.image.created';
const megabyte = 1_048_576;
/** So many old ones are looked at with each new one. */
const mostSwept = 20;

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Whoever may push can give such a tag to anything: only what is a context goes, and of one that was built only that. */
function isContext({ body }: Manifest, digest?: string): boolean {
  const [layer, ...others] = body.layers ?? [];
  const one = layer !== undefined && others.length === 0;
  return one && body.artifactType === contextType && (digest === undefined || layer.digest === digest);
}

/** Deletes what nobody came to build. That it fails is no reason to refuse a new one. */
async function sweep(registry: Registry, repository: string, before: number, signal: AbortSignal): Promise<void> {
  const found = await registry.tags(repository, signal);
  for (const tag of found.filter((name) => name.startsWith(contextTags)).slice(0, mostSwept)) {
    const manifest = await unlessAmbiguous(registry.manifest(`${repository}:${tag}`, signal), undefined);
    const at = Date.parse(manifest?.body.annotations?.[createdAt] ?? '');
    if (manifest && isContext(manifest) && at < before) await registry.remove(repository, manifest.digest, signal);
  }
}

/**
 * Keeps a tar as a blob beside the images of its repository, where any worker finds it: it goes there as it comes, and is
 * nowhere whole. The tag keeps registries from collecting it.
 * @returns what to name as the context
 * @throws Fault TOO_LARGE, NOT_PUSHABLE, REGISTRY_UNREACHABLE, …
 */
export async function keepContext(
  { on, settings, now, signal }: KeepContext,
  image: string,
  content: AsyncIterable<Uint8Array>,
): Promise<string> {
  const { registry } = on;
  const { uploadHours } = settings.builds;
  const repository = repositoryOf(parseImage(wholeName(settings, image)));
  const layer = await registry.writeBlob(repository, content, contextLimit(settings.builds), signal);
  if (layer.size === 0) throw fault('BAD_INPUT', { problem: 'The build context that was sent is empty.' });
  const config = await registry.writeBlob(repository, only(Buffer.from('{}')), megabyte, signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: contextType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    annotations: { [createdAt]: new Date(now()).toISOString() },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.putManifest(repository, { mediaType: manifestType, bytes }, contextTag(layer.digest), signal);
  await sweep(registry, repository, now() - uploadHours * 3_600_000, signal).catch(() => signal.throwIfAborted());
  return `upload:${layer.digest}`;
}

/** Deletes an uploaded context that was built. */
export async function dropContext(
  registry: Registry,
  { repository, digest }: ContextSource & { kind: 'upload' },
  signal: AbortSignal,
): Promise<void> {
  const found = await unlessAmbiguous(registry.manifest(`${repository}:${contextTag(digest)}`, signal), undefined);
  if (found && isContext(found, digest)) await registry.remove(repository, found.digest, signal);
}
