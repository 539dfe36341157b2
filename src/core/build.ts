import { z } from 'zod';
import type { SecretRef } from './image-settings.ts';

const Digest = z.string().regex(/^sha256:[a-f0-9]{64}$/);

/** Where a build's files come from. `path` is a folder in it. */
export const ContextSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('git'), url: z.string(), ref: z.string(), path: z.string() }),
  /** `within` are the folders that it must be in, where it was asked for by somebody. */
  z.object({ kind: z.literal('folder'), folder: z.string(), within: z.array(z.string()).optional() }),
  /** What somebody sent over REST: a tar, kept as a blob beside the images of `repository`. */
  z.object({ kind: z.literal('upload'), repository: z.string(), digest: Digest, path: z.string() }),
]);
export type ContextSource = z.output<typeof ContextSource>;

/** What a context was found to be: what an approval is given for. */
export const FoundContext = z.object({
  /** The commit, or the digest of what is in it. */
  id: z.string(),
  /** When the commit was made, ms since the epoch. */
  committedAt: z.number().optional(),
  files: z.number(),
  bytes: z.number(),
  /** The digest of the Dockerfile's text. */
  dockerfile: z.string(),
});
export type FoundContext = z.output<typeof FoundContext>;

/** A whole build, as it is planned. Secrets are named, and their values nowhere in it. */
export const BuildPlan = z.object({
  source: ContextSource,
  context: FoundContext,
  dockerfile: z.string(),
  /** `host/repository:tag` */
  image: z.string(),
  args: z.record(z.string(), z.string()),
  target: z.string().optional(),
  platforms: z.array(z.string()),
  secrets: z.array(z.string()),
  /** The hash of where `shipmate.yaml` has their values kept; not of the values. */
  secretRefs: z.string().optional(),
  cache: z.boolean(),
  /** Without what earlier builds left. */
  fresh: z.boolean(),
  /** The tag that says what an image was made of: where the registry has it, nothing is built. */
  key: z.string(),
  /** What the registry has under the key already. */
  built: Digest.optional(),
});
export type BuildPlan = z.output<typeof BuildPlan>;

/** One change in a registry. Doing it again does nothing more. */
export const ImageCall = z.discriminatedUnion('kind', [
  /** `to` becomes a name for what `from@digest` is; across repositories all of it is copied first. */
  z.object({ kind: z.literal('copy'), from: z.string(), to: z.string(), digest: Digest, replaces: Digest.optional() }),
  z.object({ kind: z.literal('delete'), repository: z.string(), digest: Digest, tags: z.array(z.string()) }),
  /** The image that the daemon of builds has under that name, by its id. */
  z.object({ kind: z.literal('push'), image: z.string(), id: z.string(), replaces: Digest.optional() }),
  /** A signature of Shipmate's key, by the hash of its public half. */
  z.object({ kind: z.literal('sign'), image: z.string(), digest: Digest, key: z.string() }),
]);
export type ImageCall = z.output<typeof ImageCall>;

/** Progress of a build or push: `step` of `steps` where they are known, in a stage where there are several. */
export type BuildProgress = { text: string; step?: number; steps?: number; stage?: string };

/** What the client needs besides the plan. */
export type BuildOrder = Omit<BuildPlan, 'secretRefs'> & {
  labels: Record<string, string>;
  secretRefs: Record<string, SecretRef>;
};

export type Docker = {
  /**
   * Looks at a context as it is now, and at its Dockerfile; nothing is built. `warnings` are for whoever asks and approves.
   * @throws Fault CONTEXT_REFUSED, GIT_FAILED
   */
  look(source: ContextSource, dockerfile: string, signal: AbortSignal): Promise<FoundContext & { warnings: string[] }>;
  /**
   * Builds it, from that very context, and leaves it where it was built.
   * @throws Fault BUILD_FAILED, CONTEXT_CHANGED, DOCKER_UNREACHABLE
   */
  build(order: BuildOrder, seen: (progress: BuildProgress) => void, signal: AbortSignal): Promise<void>;
  /** Pushes what was built and answers with its digest. @throws Fault PUSH_FAILED, DOCKER_UNREACHABLE */
  pushBuilt(
    order: BuildOrder,
    seen: (progress: BuildProgress) => void,
    signal: AbortSignal,
  ): Promise<{ digest: string }>;
  /** Pushes an image that the daemon has, and answers with its digest. @throws Fault PUSH_FAILED, DOCKER_UNREACHABLE */
  push(tag: string, seen: (progress: BuildProgress) => void, signal: AbortSignal): Promise<{ digest: string }>;
  /**
   * An image that the daemon has; undefined where it has none. `parts` are the manifests that it lists for platforms, by their
   * digests, where the daemon knows them: containerd's image store does. @throws Fault DOCKER_UNREACHABLE
   */
  image(tag: string, signal: AbortSignal): Promise<{ id: string; parts: string[] } | undefined>;
};

/** The tags that are Shipmate's own: nobody's version. */
export const ownTag = (tag: string): boolean => tag.startsWith('shipmate-');
export const cacheTag = 'shipmate-cache';
/** Where a context that was sent over REST is, beside the images of its repository. */
export const contextTags = 'shipmate-context-';
export const contextTag = (digest: string): string => `${contextTags}${digest.slice('sha256:'.length)}`;
