import { createHash } from 'node:crypto';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import type { Caller, Named } from './caller.ts';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';
/** What an artifact has for a configuration, which it has none of. */
export const emptyConfig = { mediaType: 'application/vnd.oci.empty.v1+json', content: Buffer.from('{}') };

const Annotations = z.record(z.string(), z.string()).optional();
/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  size: z.number(),
  artifactType: z.string().optional(),
  annotations: Annotations,
});
export type Descriptor = z.output<typeof Descriptor>;
const nothing = z.undefined('an index and an image in one').optional();
export const Manifest = z.looseObject({
  manifests: nothing,
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: Descriptor.optional(),
  layers: z.array(Descriptor).default([]),
  annotations: Annotations,
});
export type Manifest = z.output<typeof Manifest>;
export const Index = z.looseObject({ layers: nothing, config: nothing, manifests: z.array(Descriptor).default([]) });

/** A blob may take this long: bills of material have megabytes. */
const blobMs = 60_000;
const blobBytes = 32 * 1_048_576;
const manifestBytes = 4 * 1_048_576;

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function bodyOf(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const unexpected = ({ registry }: Named, status: number) =>
  status === 401 || status === 403
    ? fault('REGISTRY_FORBIDDEN', { registry })
    : fault('REGISTRY_UNREACHABLE', { registry, problem: `HTTP ${status}` });

/** Manifests and small blobs of one repository. */
export type Store = ReturnType<typeof createStore>;

/** Reads and writes what a repository holds besides images. What is too large counts as not there. */
export function createStore(call: Caller, image: Named, signal: AbortSignal) {
  const get = async (path: string, limit: number, ms?: number): Promise<Buffer | undefined> => {
    const { statusCode, body } = await call.ask(image, { path, ...(ms !== undefined && { ms }) }, signal);
    if (statusCode === 200) return await bodyOf(body, limit);
    await body.dump();
    if (statusCode === 404) return undefined;
    throw unexpected(image, statusCode);
  };
  const refused = (status: number) =>
    status === 401 || status === 403 || status >= 500
      ? unexpected(image, status)
      : fault('ATTACHMENT_REFUSED', {
          registry: image.registry,
          image: `${image.repository}@${image.digest ?? ''}`,
          problem: `HTTP ${status}`,
        });

  const putBlob = async (content: Buffer): Promise<void> => {
    const digest = digestOf(content);
    const there = await call.ask(image, { method: 'HEAD', path: `blobs/${digest}` }, signal);
    await there.body.dump();
    if (there.statusCode === 200) return;
    const begun = await call.ask(image, { method: 'POST', path: 'blobs/uploads/', body: Buffer.alloc(0) }, signal);
    await begun.body.dump();
    const { location } = begun.headers;
    if (begun.statusCode !== 202 || typeof location !== 'string') throw refused(begun.statusCode);
    const to = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const done = await call.ask(image, { method: 'PUT', path: to, body: content, headers, ms: blobMs }, signal);
    await done.body.dump();
    if (done.statusCode !== 201) throw refused(done.statusCode);
  };

  return {
    /** Undefined where there is none of that tag or digest, or it is not what its digest says. */
    manifest: async (reference: string) => {
      const found = await get(`manifests/${reference}`, manifestBytes);
      return found && reference.startsWith('sha256:') && digestOf(found) !== reference ? undefined : found;
    },
    /** Undefined where it is not there, or not what its digest says. */
    blob: async (digest: string) => {
      const found = await get(`blobs/${digest}`, blobBytes, blobMs);
      return found && digestOf(found) === digest ? found : undefined;
    },
    /** The registry's own list of what refers to a manifest; undefined where it keeps none. */
    referrers: (digest: string) => get(`referrers/${digest}`, manifestBytes),
    putBlob,
    /** Answers with whether the registry took notice of the manifest's subject. */
    putManifest: async (reference: string, content: Buffer, contentType: string): Promise<boolean> => {
      const headers = { 'content-type': contentType };
      const done = await call.ask(
        image,
        { method: 'PUT', path: `manifests/${reference}`, body: content, headers },
        signal,
      );
      await done.body.dump();
      if (done.statusCode !== 201) throw refused(done.statusCode);
      return done.headers['oci-subject'] !== undefined;
    },
  };
}
