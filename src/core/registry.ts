import { z } from 'zod';

export const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  size: z.number().int().min(0),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
});
export type Descriptor = z.output<typeof Descriptor>;

/** The fields of manifests and indexes, of OCI and of Docker, that Shipmate reads. */
export const ManifestBody = z.looseObject({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: Descriptor.optional(),
  layers: z.array(Descriptor).optional(),
  manifests: z.array(Descriptor).optional(),
  subject: Descriptor.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  /** The layers of Docker's first form, which is not read: what has them besides is two things at once. */
  fsLayers: z.unknown().optional(),
});
export type ManifestBody = z.output<typeof ManifestBody>;

/** The fields of an image's configuration that Shipmate reads. */
export const ImageConfig = z.looseObject({
  created: z.string().optional(),
  os: z.string().optional(),
  architecture: z.string().optional(),
  /** How a container of it runs; where that can't be read, the rest still can. */
  config: z.looseObject({ User: z.string().nullish() }).nullish().catch(undefined),
});
export type ImageConfig = z.output<typeof ImageConfig>;

/** A manifest as the registry has it: `bytes` are what its digest is of. */
export type Manifest = { digest: string; mediaType: string; bytes: Uint8Array; body: ManifestBody };

/** What came of a copy: how much went over the wire, and how much was there already. */
export type Copied = { digest: string; sentBytes: number; keptBytes: number };

/**
 * OCI registries, each asked by the host of the reference: https://github.com/opencontainers/distribution-spec
 * A host's credentials go to that host and its token server alone.
 * @throws Fault REGISTRY_UNREACHABLE, REGISTRY_FORBIDDEN, REGISTRY_REFUSED
 */
export type Registry = {
  /**
   * Resolves `host/name:tag` to its digest.
   * @throws Fault IMAGE_NOT_FOUND (with a near tag), REGISTRY_UNREACHABLE, REGISTRY_FORBIDDEN
   */
  resolve(reference: string, app: string, signal: AbortSignal): Promise<string>;
  /**
   * The manifest under a tag or digest, checked against its digest; undefined where there is none.
   * @throws Fault IMAGE_AMBIGUOUS where programs would read it differently
   */
  manifest(reference: string, signal: AbortSignal): Promise<Manifest | undefined>;
  /**
   * The digest of what is under a tag or digest, of its bytes; undefined where there is nothing. It is not read: also what programs
   * would read differently has one.
   */
  digest(reference: string, signal: AbortSignal): Promise<string | undefined>;
  /** All tags of a repository; none where there is no such repository. */
  tags(repository: string, signal: AbortSignal): Promise<string[]>;
  /** What refers to `host/name@digest`: signatures, SBOMs, attestations. */
  referrers(reference: string, signal: AbortSignal): Promise<Descriptor[]>;
  /** A small blob, such as an image's configuration, checked against its digest. */
  blob(repository: string, digest: string, signal: AbortSignal): Promise<Uint8Array>;
  /** A blob as a stream; it fails at its end where it is not what its digest says. */
  readBlob(repository: string, digest: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Sends a stream of unknown length as a blob, up to a limit, and answers with its digest. @throws Fault TOO_LARGE */
  writeBlob(
    repository: string,
    content: AsyncIterable<Uint8Array>,
    limitBytes: number,
    signal: AbortSignal,
  ): Promise<{ digest: string; size: number }>;
  /** Puts a manifest under a tag, or under its digest where there is no tag; its blobs are there already. */
  putManifest(
    repository: string,
    manifest: { mediaType: string; bytes: Uint8Array },
    tag: string | undefined,
    signal: AbortSignal,
  ): Promise<string>;
  /**
   * Makes `to` (with a tag) the same as `from@digest`: an index with all its platforms, and what refers to it. The tag is put last.
   * What is there already is not sent again, so one that failed in the middle goes on where it was.
   */
  copy(from: string, digest: string, to: string, seen: (text: string) => void, signal: AbortSignal): Promise<Copied>;
  /** Deletes a manifest by its digest, and with it all tags on it; false where it was gone already. */
  remove(repository: string, digest: string, signal: AbortSignal): Promise<boolean>;
};
