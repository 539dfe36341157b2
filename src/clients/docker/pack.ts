import { closeSync, lstatSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { openOutside, UnfitFile } from '../../files/regular-file.ts';
import { type Context, type Entry, entriesOf } from './context.ts';
import { headerMost, padding, tarEnd, writeHeader } from './tar.ts';

const partBytes = 512 * 1_024;
/** Calls without waiting are several times faster than those with; but nobody else gets a turn meanwhile. */
const turnMs = 10;

/** Whether it is time that others get their turn, and giving it. */
export function createTurns(signal: AbortSignal): { due(): boolean; give(): Promise<void> } {
  let began = performance.now();
  return {
    due: () => performance.now() - began >= turnMs,
    give: async () => {
      signal.throwIfAborted();
      await breathe();
      began = performance.now();
    },
  };
}

/** Has a part, which is the packer's again as soon as the promise is done. */
export type Take = (part: Uint8Array) => Promise<unknown>;
type Part = { bytes: Buffer; used: number };

/** Two buffers, of which one is filled while the other is taken: however much there is, it takes no more memory. */
function createParts(take: Take): { part: Part; hand(): Promise<void>; end(): Promise<unknown> } {
  const part: Part = { bytes: Buffer.allocUnsafeSlow(partBytes), used: 0 };
  let other: Buffer = Buffer.allocUnsafeSlow(partBytes);
  let taken: Promise<unknown> = Promise.resolve();
  return {
    part,
    hand: async () => {
      await taken;
      taken = take(part.bytes.subarray(0, part.used));
      // It is waited for with the next part; until then it is not unheard.
      taken.catch(() => {});
      [part.bytes, other, part.used] = [other, part.bytes, 0];
    },
    end: () => taken,
  };
}

/** Reads what there is room for. @returns how much is left */
function readSome(handle: number, part: Part, path: string, left: number): number {
  const read = readSync(handle, part.bytes, part.used, Math.min(left, partBytes - part.used), null);
  if (read === 0) throw new Error(`${path} became shorter while it was read`);
  part.used += read;
  return left - read;
}

/** What was a file when the folder was read may be something else by now. */
function openEntry(whole: string, path: string): { handle: number; stat: Stats } {
  try {
    return openOutside(whole);
  } catch (thrown) {
    throw thrown instanceof UnfitFile ? new Error(`${path} is a file no longer`) : thrown;
  }
}

/** An entry that is no file is its header. */
function packOther(whole: string, { path, kind }: Entry, { mode }: Stats, part: Part): void {
  const header =
    kind === 'link'
      ? { path, mode: 0o777, size: 0, type: kind, link: readlinkSync(whole) }
      : { path, mode, size: 0, type: kind };
  part.used += writeHeader(part.bytes, part.used, header);
}

/**
 * Packs a context as a tar. The same files are the same tar, whoever they belong to and whenever they were written.
 * @param seen is told of each entry before it is packed
 */
export async function packContext(
  context: Context,
  take: Take,
  signal: AbortSignal,
  seen: (entry: Entry, stat: Stats) => void = () => {},
): Promise<void> {
  const { part, hand, end } = createParts(take);
  const turns = createTurns(signal);
  const next = async () => {
    await hand();
    if (turns.due()) await turns.give();
  };
  for (const entry of entriesOf(context)) {
    const { path, kind } = entry;
    const whole = `${context.root}/${path}`;
    if (partBytes - part.used < headerMost) await next();
    if (kind !== 'file') {
      const stat = lstatSync(whole);
      seen(entry, stat);
      packOther(whole, entry, stat, part);
      continue;
    }
    const { handle, stat } = openEntry(whole, path);
    try {
      seen(entry, stat);
      const { mode, size } = stat;
      part.used += writeHeader(part.bytes, part.used, { path, mode, size, type: kind });
      // It has the size that its header told, or it is not taken.
      for (let left = size; left > 0; left = readSome(handle, part, path, left))
        if (part.used === partBytes) await next();
      const zeros = padding(size);
      if (partBytes - part.used < zeros) await next();
      part.bytes.fill(0, part.used, part.used + zeros);
      part.used += zeros;
    } finally {
      closeSync(handle);
    }
    if (turns.due()) await turns.give();
  }
  if (partBytes - part.used < tarEnd.length) await next();
  part.used += tarEnd.copy(part.bytes, part.used);
  await hand();
  await end();
}
