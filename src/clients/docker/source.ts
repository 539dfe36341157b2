import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-fs';
import { type ContextSource, contextTag } from '../../core/build.ts';
import { Fault, fault } from '../../core/errors.ts';
import { type BuildSettings, contextLimit } from '../../core/image-settings.ts';
import type { Git } from '../../core/ports.ts';
import type { Registry } from '../../core/registry.ts';
import { refused } from './context.ts';

export type SourceDeps = {
  git: Pick<Git, 'checkout'>;
  registry: Pick<Registry, 'digest' | 'readBlob'>;
  settings: () => BuildSettings;
};

const mostEntries = 200_000;
const megabyte = 1_048_576;
const kept = 'an upload is kept until it was built, and for builds.uploadHours at most.';
/** What a tar has besides its files' bytes: headers, padding, an end. */
const asideBytes = mostEntries * 1_024;

/** How people call it. */
export function saidOf(source: ContextSource): string {
  switch (source.kind) {
    case 'git':
      return `${source.url}#${source.ref}${/^\.?\/?$/.test(source.path) ? '' : `:${source.path}`}`;
    case 'folder':
      return source.folder;
    case 'upload':
      return `upload:${source.digest.slice(7, 19)}`;
    default:
      return source satisfies never;
  }
}

/** The fields of a tar's entry that are looked at; the types of tar-fs lack the link's name. */
type Headers = { name: string; type?: string | null; size?: number; linkname?: string | null };

const climbs = (path: string) => isAbsolute(path) || normalize(path).split(sep).includes('..');

/** Why an entry of a tar is not taken; undefined where it is. */
function problemOf({ name, type, linkname }: Headers): string | undefined {
  if (climbs(name)) return `“${name.slice(0, 100)}” climbs out of it`;
  if (type === 'file' || type === 'directory' || type === 'symlink') return undefined;
  if (type === 'link')
    return climbs(linkname ?? '') ? `“${name.slice(0, 100)}” is a link to what lies outside of it` : undefined;
  return `“${name.slice(0, 100)}” is a ${String(type).slice(0, 30)}`;
}

/** Gzip is known by its first two bytes; a tar never begins with them. */
async function* unzipped(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = content[Symbol.asyncIterator]();
  const first = await parts.next();
  const all = (async function* () {
    if (!first.done) yield first.value;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
  })();
  const zipped = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!zipped) return yield* all;
  const gunzip = createGunzip();
  const fed = pipeline(all, gunzip).catch((problem: Error) => void gunzip.destroy(problem));
  yield* gunzip as AsyncIterable<Uint8Array>;
  await fed;
}

/** Unpacks a tar; what is too much of it, or climbs out, is refused before it is written. */
async function unpack(
  content: AsyncIterable<Uint8Array>,
  folder: string,
  said: string,
  limitBytes: number,
): Promise<void> {
  let [entries, bytes] = [0, 0];
  const tooMuch = () => refused(said, `there is more than ${Math.round(limitBytes / megabyte)} MiB of it`);
  const check = (header: Headers): void => {
    const problem = problemOf(header);
    if (problem !== undefined) throw refused(said, problem);
    entries += 1;
    bytes += header.size ?? 0;
    if (entries > mostEntries) throw refused(said, `there are more than ${mostEntries} files in it`);
    if (bytes > limitBytes) throw tooMuch();
  };
  let problem: unknown;
  const options = {
    dmode: 0o755,
    fmode: 0o644,
    chown: false,
    validateSymlinks: false,
    // An error thrown in here would end the process: it is kept, and the rest is skipped.
    ignore: (_name: string, header?: Headers) => {
      try {
        if (problem === undefined && header) check(header);
      } catch (thrown) {
        problem = thrown;
      }
      return problem !== undefined;
    },
  };
  const into = extract(folder, options);
  // Where it ends in the middle of an entry, that entry has an error of its own, and unheard it would end the process.
  into.on('error', () => {}).on('entry', (_header, entry) => entry.on('error', () => {}));
  const watched = (async function* () {
    let read = 0;
    for await (const part of unzipped(content)) {
      if (problem !== undefined) throw problem;
      read += part.length;
      // A gigabyte of zeros is a kilobyte when it is zipped, and no entry tells of it.
      if (read > limitBytes + asideBytes) throw tooMuch();
      yield part;
    }
  })();
  try {
    await pipeline(watched, into);
  } catch (thrown) {
    if (problem instanceof Fault) throw problem;
    if (thrown instanceof Fault) throw thrown;
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')
      throw fault('NO_ROOM', { context: said }, thrown);
    throw refused(
      said,
      `it is no tar that can be unpacked (${thrown instanceof Error ? thrown.message : String(thrown)})`,
    );
  }
  if (problem !== undefined) throw problem;
  if (entries === 0) throw refused(said, 'it is no tar, or an empty one');
}

/** A folder below another one, after links. */
async function below(root: string, path: string, said: string): Promise<string> {
  const [from, to] = await Promise.all([realpath(root), realpath(join(root, path)).catch(() => undefined)]);
  if (to === undefined) throw refused(said, `there is no folder “${path}” in it`);
  if (climbs(relative(from, to))) throw refused(said, `“${path}” lies outside of it`);
  return to;
}

/** A folder that somebody asked for lies in one of those that were allowed, after links. */
async function allowed({ folder, within }: ContextSource & { kind: 'folder' }): Promise<string> {
  if (!within) return folder;
  const hint = 'Nothing was built. Folders that may be built from stand under builds.folders of shipmate.yaml.';
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) throw refused(folder, 'it does not exist', hint);
  const roots = await Promise.all(within.map((root) => realpath(root).catch(() => root)));
  if (roots.some((root) => real === root || !climbs(relative(root, real)))) return real;
  throw refused(folder, 'it lies in no folder that may be built from', hint);
}

/**
 * Gives a context's folder to `act`: its own, or one that is made for it and gone afterwards.
 * @throws Fault CONTEXT_REFUSED, GIT_FAILED
 */
export async function withSource<Result>(
  { git, registry, settings }: SourceDeps,
  source: ContextSource,
  signal: AbortSignal,
  act: (folder: string, commit?: { commit: string; committedAt: number }) => Promise<Result>,
): Promise<Result> {
  if (source.kind === 'folder') return await act(await allowed(source));
  const builds = settings();
  const { gitHosts: hosts } = builds;
  const limitBytes = contextLimit(builds);
  const temporary = await mkdtemp(join(tmpdir(), 'shipmate-context-'));
  try {
    const folder = join(temporary, 'context');
    await mkdir(folder);
    if (source.kind === 'git') {
      const found = await git.checkout(source, { folder, hosts, limitBytes }, signal);
      return await act(folder, found);
    }
    const said = saidOf(source);
    // A layer of an image is a blob as well, and was not sent to be built.
    if (!(await registry.digest(`${source.repository}:${contextTag(source.digest)}`, signal)))
      throw refused(said, 'it is not kept (any more)', `Send it again: ${kept}`);
    const content = await registry.readBlob(source.repository, source.digest, signal);
    await unpack(content, folder, said, limitBytes);
    return await act(await below(folder, source.path, said));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
