import { createHash } from 'node:crypto';
import type { BuildOrder, BuildProgress, ContextSource, Docker as DockerPort, FoundContext } from '../../core/build.ts';
import { frontendsOf } from '../../core/dockerfile.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import { type BuildSettings, contextLimit, type SecretRef } from '../../core/image-settings.ts';
import type { Git } from '../../core/ports.ts';
import type { Registry } from '../../core/registry.ts';
import { runBuild } from './build.ts';
import { findBuildx, type Login } from './buildx.ts';
import { measure, readContents } from './contents.ts';
import { type Context, contextIn, ignoreWarnings, refused } from './context.ts';
import { createPush } from './push.ts';
import { saidOf, withSource } from './source.ts';

export type DockerOptions = {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`, … as DOCKER_HOST has it. */
  host?: string;
  /** Who Shipmate is to registries, each by its host, and sent to no other. */
  logins?: () => readonly Login[];
  /** Registries that speak plain http, beside those of this machine. */
  insecure?: () => readonly string[];
  /** The path of buildx, where it is not found by itself. */
  buildx?: string;
  git: Pick<Git, 'checkout'>;
  registry: Pick<Registry, 'manifest' | 'digest' | 'readBlob' | 'putManifest'>;
  settings: () => BuildSettings;
  /** The value of a secret. @throws Fault where there is none */
  secret: (ref: SecretRef) => string;
};

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A frontend runs with the rights of the build, and may be anybody's: only those that were allowed by name. */
function checkFrontend(text: string, said: string, { frontends }: BuildSettings): void {
  const asked = frontendsOf(text).find((each) => !frontends.includes(each));
  if (asked === undefined) return;
  throw refused(
    said,
    `its Dockerfile asks for the frontend ${asked.slice(0, 100)} (# syntax=), which is not allowed`,
    'Take that line away, or add the frontend to builds.frontends of shipmate.yaml.',
  );
}

type Inspected = {
  found: FoundContext;
  context: Context;
  /** The Dockerfile's. */
  text: string;
  /** The same only where every file is: what the builder may know its own copy by. */
  copy?: string;
};

/** What a folder holds now, found out before anything is sent anywhere. */
async function inspect(
  folder: string,
  checkedOut: { commit: string; committedAt: number } | undefined,
  { source, dockerfile }: { source: ContextSource; dockerfile: string },
  settings: BuildSettings,
  signal: AbortSignal,
): Promise<Inspected> {
  const said = saidOf(source);
  const { text, ...context } = await contextIn(folder, dockerfile, said);
  checkFrontend(text, said, settings);
  const limitBytes = contextLimit(settings);
  const known = checkedOut?.commit ?? (source.kind === 'upload' ? source.digest : undefined);
  const { files, bytes, stamp, ...read } =
    known === undefined
      ? await readContents(context, said, limitBytes, signal)
      : { ...(await measure(context, said, limitBytes, signal)), digest: known };
  const copy = source.kind === 'folder' ? stamp : sha256(`${read.digest} ${source.path}`);
  const found = {
    id: read.digest,
    ...(checkedOut && { committedAt: checkedOut.committedAt }),
    files,
    bytes,
    dockerfile: sha256(text),
  };
  return { found, context, text, ...(copy !== undefined && { copy }) };
}

/** Whether a folder is what it was: nobody wrote to it, or what was written is the same. */
async function isUnchanged(
  { found, context, text, copy }: Inspected,
  order: Pick<BuildOrder, 'source' | 'dockerfile'>,
  settings: BuildSettings,
  signal: AbortSignal,
): Promise<boolean> {
  const said = saidOf(order.source);
  const now = await contextIn(context.root, order.dockerfile, said);
  if (now.text !== text) return false;
  const limitBytes = contextLimit(settings);
  if (copy !== undefined && (await measure(context, said, limitBytes, signal)).stamp === copy) return true;
  return (await readContents(context, said, limitBytes, signal)).digest === found.id;
}

/** Builds with `docker buildx`, and pushes what a daemon has. */
export function createDocker(options: DockerOptions): DockerPort {
  const host = options.host ?? 'unix:///var/run/docker.sock';
  const logins = options.logins ?? (() => []);
  const { push, image } = createPush(host, logins);

  const buildTo = async (
    order: BuildOrder,
    pushes: boolean,
    seen: (progress: BuildProgress) => void,
    signal: AbortSignal,
  ): Promise<{ digest?: string }> => {
    const settings = options.settings();
    const program = await findBuildx(options.buildx);
    // The commit that was planned, whatever the branch is by now.
    const { source, dockerfile, context: planned } = order;
    const exact = source.kind === 'git' ? { ...source, ref: planned.id } : source;
    return await withSource(options, exact, signal, async (folder, commit) => {
      const inspected = await inspect(folder, commit, { source, dockerfile }, settings, signal);
      const { found, context, text, copy } = inspected;
      const changed = () => fault('CONTEXT_CHANGED', { context: saidOf(source) });
      if (found.id !== planned.id || found.dockerfile !== planned.dockerfile) throw changed();
      const values = order.secrets.map((id) => {
        const ref = order.secretRefs[id];
        if (!ref) throw fault('BAD_INPUT', { problem: `There is no build secret “${id}” in shipmate.yaml.` });
        return options.secret(ref);
      });
      const insecure = options.insecure?.() ?? [];
      const build = { host, program, order, pushes, settings, logins: logins(), insecure, context, text, copy, values };
      const built = await runBuild(build, seen, signal);
      // A folder that somebody writes to meanwhile is not what was approved.
      if (source.kind === 'folder' && !(await isUnchanged(inspected, order, settings, signal))) throw changed();
      return built;
    });
  };

  /** Gives what was pushed under its digest the tag that was asked for. */
  const tagged = async (image: string, digest: string, signal: AbortSignal): Promise<void> => {
    const parts = parseImage(image);
    const repository = repositoryOf(parts);
    const manifest = await options.registry.manifest(`${repository}@${digest}`, signal);
    if (!manifest) throw fault('PUSH_FAILED', { image, problem: `the registry has no ${digest}.` });
    await options.registry.putManifest(repository, manifest, parts.tag, signal);
  };

  return {
    look: (source, dockerfile, signal) =>
      withSource(options, source, signal, async (folder, commit) => {
        const { found, context } = await inspect(folder, commit, { source, dockerfile }, options.settings(), signal);
        return { ...found, warnings: ignoreWarnings(context) };
      }),
    build: async (order, seen, signal) => void (await buildTo(order, false, seen, signal)),
    pushBuilt: async (order, seen, signal) => {
      if (options.settings().builder === undefined) return await push(order.image, seen, signal);
      const { digest } = await buildTo(order, true, seen, signal);
      if (digest === undefined)
        throw fault('PUSH_FAILED', { image: order.image, problem: 'the builder did not say under which digest.' });
      await tagged(order.image, digest, signal);
      return { digest };
    },
    push,
    image,
  };
}
