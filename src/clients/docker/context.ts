import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { fault } from '../../core/errors.ts';
import { ignoreOf } from './ignore.ts';
import { padding, tarEnd, tarHeader } from './tar.ts';

/** So much is packed before others get their turn: calls without waiting are several times faster than those with. */
const partBytes = 512 * 1_024;
const turnFiles = 64;

export type Context = { root: string; dockerfile: string };

export const refused = (context: string, problem: string, hint = 'Nothing was built. Correct it and ask again.') =>
  fault('CONTEXT_REFUSED', { context, problem, hint });

const isOutside = (path: string) => path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);

/**
 * The context and its Dockerfile, as they really lie. `said` is how people call it.
 * @throws Fault CONTEXT_REFUSED where one is missing, or lies outside
 */
export async function contextIn(folder: string, dockerfile: string, said: string): Promise<Context & { text: string }> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) throw refused(said, 'it does not exist');
  if (!(await stat(root)).isDirectory()) throw refused(said, 'it is not a folder');
  if (isAbsolute(dockerfile) || isOutside(relative(root, join(root, dockerfile))))
    throw refused(said, `${dockerfile} lies outside of it`);
  const file = await realpath(join(root, dockerfile)).catch(() => undefined);
  if (file === undefined) throw refused(said, `there is no ${dockerfile} in it`);
  const inside = relative(root, file);
  if (isOutside(inside)) throw refused(said, `${dockerfile} lies outside of it`);
  const found = await stat(file);
  if (!found.isFile()) throw refused(said, `${dockerfile} is not a file`);
  if (found.size > 1_048_576) throw refused(said, `${dockerfile} is larger than 1 MiB`);
  return { root, dockerfile: relative(root, join(root, dockerfile)), text: await readFile(file, 'utf8') };
}

type Kind = 'file' | 'link' | 'folder';
type Entry = { path: string; kind: Kind };

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/** What `.dockerignore` leaves, in an order that is always the same. Links are links: nothing from outside gets in. */
export function* entriesOf({ root, dockerfile }: Context): Generator<Entry> {
  const ignore = ignoreOf(root, dockerfile);
  function* below(folder: string): Generator<Entry> {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort(byName)) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const ignored = ignore.ignores(path);
      if (entry.isDirectory()) {
        if (ignored && !ignore.mayHold(path)) continue;
        if (!ignored) yield { path, kind: 'folder' };
        yield* below(path);
      } else if (path === dockerfile || !ignored) {
        if (entry.isFile()) yield { path, kind: 'file' };
        else if (entry.isSymbolicLink()) yield { path, kind: 'link' };
      }
    }
  }
  yield* below('');
}

/** How much a context is. @throws Fault CONTEXT_REFUSED as soon as it is more than the limit */
export async function measure(
  context: Context,
  said: string,
  limitBytes: number,
  signal: AbortSignal,
): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0];
  for (const { path, kind } of entriesOf(context)) {
    files += 1;
    if (kind === 'file') bytes += lstatSync(join(context.root, path)).size;
    if (bytes > limitBytes)
      throw refused(
        said,
        `there is more than ${Math.round(limitBytes / 1_048_576)} MiB of it`,
        'Leave out by .dockerignore what the build does not need, or raise builds.contextMegabytes in shipmate.yaml.',
      );
    if (files % 2_000 !== 0) continue;
    signal.throwIfAborted();
    await breathe();
  }
  return { files, bytes };
}

/** Joins what is small, so that nobody handles a thousand little parts. */
function createJoiner() {
  let [held, size] = [[] as Uint8Array[], 0];
  return {
    add: (part: Uint8Array) => {
      held.push(part);
      size += part.length;
    },
    full: () => size >= partBytes,
    take: () => {
      const whole = Buffer.concat(held, size);
      [held, size] = [[], 0];
      return whole;
    },
  };
}

/** The parts of one file; it has the size that its header told, or it is not taken. */
function* fileParts(root: string, path: string): Generator<Uint8Array> {
  const handle = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size, mode } = fstatSync(handle);
    yield tarHeader({ path, mode, size, type: 'file' });
    for (let left = size; left > 0; ) {
      const part = Buffer.allocUnsafe(Math.min(left, partBytes));
      const read = readSync(handle, part, 0, part.length, null);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
      yield read === part.length ? part : part.subarray(0, read);
      left -= read;
    }
    if (padding(size) > 0) yield tarEnd.subarray(0, padding(size));
  } finally {
    closeSync(handle);
  }
}

function* entryParts(root: string, { path, kind }: Entry): Generator<Uint8Array> {
  if (kind === 'file') yield* fileParts(root, path);
  else if (kind === 'folder')
    yield tarHeader({ path, mode: lstatSync(join(root, path)).mode, size: 0, type: 'folder' });
  else yield tarHeader({ path, mode: 0o777, size: 0, type: 'link', link: readlinkSync(join(root, path)) });
}

/** A context as a tar. The same files are the same tar, whoever they belong to and whenever they were written. */
export async function* packContext(context: Context, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const joiner = createJoiner();
  let files = 0;
  for (const entry of entriesOf(context)) {
    for (const part of entryParts(context.root, entry)) {
      joiner.add(part);
      if (joiner.full()) yield joiner.take();
    }
    if (++files % turnFiles !== 0) continue;
    signal.throwIfAborted();
    await breathe();
  }
  joiner.add(tarEnd);
  yield joiner.take();
}

/** What a context is, by what is in it. */
export async function digestOfContext(context: Context, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of packContext(context, signal)) hash.update(part);
  return `sha256:${hash.digest('hex')}`;
}
