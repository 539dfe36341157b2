import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { Fault } from '../../core/errors.ts';
import { type Context, type Entry, entriesOf, refused } from './context.ts';
import { createTurns, packContext } from './pack.ts';

/**
 * How much a context is, and what the file system says of its files. While that is the same, nobody wrote to them: the time of
 * change is nobody's to set. It is undefined where a file was written so lately that another write would have the same time.
 */
export type Measured = { files: number; bytes: number; stamp?: string };

/** Clocks of file systems are coarse, and those of other machines' are other clocks. */
const latelyMs = 2_000;
const megabyte = 1_048_576;

function createTally({ root, dockerfile }: Context, said: string, limitBytes: number) {
  const stamp = createHash('sha256');
  const lately = Date.now() - latelyMs;
  let [files, bytes, young] = [0, 0, false];
  const add = (name: string, { ino, mode, size, mtimeMs, ctimeMs }: Stats) => {
    stamp.update(`${name}\0${ino} ${mode} ${size} ${mtimeMs} ${ctimeMs}\n`);
    young ||= ctimeMs > lately;
  };
  // These are read also where they are left out of the context.
  for (const name of [dockerfile, `${dockerfile}.dockerignore`, '.dockerignore']) {
    const found = lstatSync(`${root}/${name}`, { throwIfNoEntry: false });
    if (found) add(name, found);
  }
  return {
    seen: ({ path, kind }: Entry, stat: Stats): void => {
      files += 1;
      // A folder's times are also those of what is ignored in it.
      if (kind === 'folder') return void stamp.update(`${path}\0${stat.mode}\n`);
      if (kind === 'file') bytes += stat.size;
      if (bytes > limitBytes)
        throw refused(
          said,
          `there is more than ${Math.round(limitBytes / megabyte)} MiB of it`,
          'Leave out by .dockerignore what the build does not need, or raise builds.contextMegabytes in shipmate.yaml.',
        );
      add(path, stat);
    },
    end: (): Measured => ({ files, bytes, ...(!young && { stamp: stamp.digest('hex') }) }),
  };
}

/** Somebody may write to a folder while it is read, or keep a file from being read. */
function unreadable(said: string, thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || thrown instanceof Fault || !(thrown instanceof Error)) return thrown;
  return refused(said, `it cannot be read (${thrown.message})`);
}

/** Measures a context, and reads none of its files. @throws Fault CONTEXT_REFUSED as soon as it is more than the limit */
export async function measure(
  context: Context,
  said: string,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Measured> {
  const turns = createTurns(signal);
  try {
    const { seen, end } = createTally(context, said, limitBytes);
    for (const entry of entriesOf(context)) {
      seen(entry, lstatSync(`${context.root}/${entry.path}`));
      if (turns.due()) await turns.give();
    }
    return end();
  } catch (thrown) {
    throw unreadable(said, thrown, signal);
  }
}

/**
 * Measures a context and what is in it: the digest is that of its tar, so the same files have the same one.
 * @throws Fault CONTEXT_REFUSED as soon as it is more than the limit
 */
export async function readContents(
  context: Context,
  said: string,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Measured & { digest: string }> {
  const hash = createHash('sha256');
  try {
    const { seen, end } = createTally(context, said, limitBytes);
    await packContext(context, async (part) => void hash.update(part), signal, seen);
    return { ...end(), digest: `sha256:${hash.digest('hex')}` };
  } catch (thrown) {
    throw unreadable(said, thrown, signal);
  }
}
