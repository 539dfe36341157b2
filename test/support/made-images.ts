import { randomBytes } from 'node:crypto';
import type { Descriptor, Registry } from '../../src/core/registry.ts';

const { signal } = new AbortController();
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** An image of nothing in particular: a configuration, and layers of so many random bytes. */
export async function putImage(
  registry: Registry,
  repository: string,
  options: { layers?: readonly number[]; tag?: string; subject?: Descriptor; created?: string; architecture?: string },
): Promise<Descriptor> {
  const { layers = [1_000], tag, subject, created, architecture = 'amd64' } = options;
  const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', created, n: randomBytes(8).toString('hex') }));
  const blobs = [config, ...layers.map((size) => randomBytes(size))];
  const sent: { digest: string; size: number }[] = [];
  for (const blob of blobs) {
    const { digest, size } = await registry.writeBlob(repository, once(blob), blob.length + 1, signal);
    sent.push({ digest, size });
  }
  const [first, ...rest] = sent;
  const body = {
    schemaVersion: 2,
    mediaType: manifestType,
    ...(subject && { artifactType: 'application/vnd.test.note' }),
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...first },
    layers: rest.map((each) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...each })),
    ...(subject && { subject }),
  };
  const bytes = Buffer.from(JSON.stringify(body));
  const digest = await registry.putManifest(repository, { mediaType: manifestType, bytes }, tag, signal);
  return { mediaType: manifestType, digest, size: bytes.length };
}

/** An image for two platforms, with an attestation beside them. */
export async function putIndex(registry: Registry, repository: string, tag: string): Promise<Descriptor> {
  const parts = await Promise.all(
    ['amd64', 'arm64'].map(async (architecture) => ({
      ...(await putImage(registry, repository, { architecture })),
      platform: { os: 'linux', architecture },
    })),
  );
  const aside = { ...(await putImage(registry, repository, {})), platform: { os: 'unknown', architecture: 'unknown' } };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [...parts, aside] }));
  const digest = await registry.putManifest(repository, { mediaType: indexType, bytes }, tag, signal);
  return { mediaType: indexType, digest, size: bytes.length };
}
