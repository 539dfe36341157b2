import { z } from 'zod';
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

const Config = z.looseObject({
  created: z.string().optional(),
  os: z.string().optional(),
  architecture: z.string().optional(),
});

const sizeOf = ({ body }: Manifest): number =>
  [...(body.config ? [body.config] : []), ...(body.layers ?? [])].reduce((sum, { size }) => sum + size, 0);

async function configOf(registry: Registry, repository: string, { body }: Manifest, signal: AbortSignal) {
  if (!body.config || !/config|image/.test(body.config.mediaType) || body.config.size > 1_048_576) return {};
  const bytes = await registry.blob(repository, body.config.digest, signal);
  try {
    return Config.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return {};
  }
}

/** An image's size, age and platforms; of an index those of what it lists, attestations left out. */
export async function factsOf(
  { on, signal }: Pick<PlanContext<'registry'>, 'on' | 'signal'>,
  repository: string,
  tag: string,
): Promise<ImageFacts | undefined> {
  const { registry } = on;
  const manifest = await registry.manifest(`${repository}:${tag}`, signal);
  if (!manifest) return undefined;
  const listed = (manifest.body.manifests ?? []).filter(({ platform }) => platform?.os !== 'unknown');
  const children = await Promise.all(listed.map(({ digest }) => registry.manifest(`${repository}@${digest}`, signal)));
  const all = [manifest, ...children.filter((child) => child !== undefined)];
  const image = all.find(({ body }) => body.config) ?? manifest;
  const { created, os, architecture } = await configOf(registry, repository, image, signal);
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
