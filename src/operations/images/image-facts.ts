import { isRunnable, readImageConfig } from '../../core/oci-document.ts';
import type { PlanContext } from '../../core/operation.ts';
import type { Manifest, Registry } from '../../core/registry.ts';

/** What is told of a tag. */
export type ImageFacts = {
  tag: string;
  digest: string;
  /** Also of its platforms. */
  digests: string[];
  bytes: number;
  createdAt?: number;
  platforms: string[];
};

const sizeOf = ({ body }: Manifest): number =>
  [...(body.config ? [body.config] : []), ...(body.layers ?? [])].reduce((sum, { size }) => sum + size, 0);

type Named = { repository: string; image: string };

async function configOf(registry: Registry, { repository, image }: Named, { body }: Manifest, signal: AbortSignal) {
  if (!body.config || !isRunnable(body) || body.config.size > 1_048_576) return {};
  const bytes = await registry.blob(repository, body.config.digest, signal);
  return readImageConfig({ image }, bytes);
}

/** An image's size, age and platforms; of an index those of what it lists, attestations left out. @throws Fault IMAGE_AMBIGUOUS */
export async function factsOf(
  { on, signal }: Pick<PlanContext<'registry'>, 'on' | 'signal'>,
  repository: string,
  tag: string,
): Promise<ImageFacts | undefined> {
  const { registry } = on;
  const reference = `${repository}:${tag}`;
  const manifest = await registry.manifest(reference, signal);
  if (!manifest) return undefined;
  const listed = (manifest.body.manifests ?? []).filter(({ platform }) => platform?.os !== 'unknown');
  const children = await Promise.all(listed.map(({ digest }) => registry.manifest(`${repository}@${digest}`, signal)));
  const all = [manifest, ...children.filter((child) => child !== undefined)];
  const image = all.find(({ body }) => body.config) ?? manifest;
  const { created, os, architecture } = await configOf(registry, { repository, image: reference }, image, signal);
  const createdAt = Date.parse(created ?? '');
  const platforms = listed.flatMap(({ platform }) => (platform ? [`${platform.os}/${platform.architecture}`] : []));
  return {
    tag,
    digest: manifest.digest,
    digests: [manifest.digest, ...(manifest.body.manifests ?? []).map(({ digest }) => digest)],
    bytes: all.reduce((sum, each) => sum + sizeOf(each), 0),
    ...(Number.isFinite(createdAt) && createdAt > 0 && { createdAt }),
    platforms: platforms.length > 0 ? platforms : os && architecture ? [`${os}/${architecture}`] : [],
  };
}
