import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { JsonObject } from '../../core/json.ts';
import { startThread, ThreadFailed } from '../../processes/thread.ts';
import { type Entry, type Reading, readManifest } from './read.ts';

/** A megabyte of brackets keeps the reader busy for a minute. */
const patienceMs = 20_000;
const memoryMb = 512;
/** What is no longer than this is read at once: the worst of it takes a fraction of a second. */
const small = 8_192;

const Answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('objects'), entries: z.array(z.object({ object: JsonObject, line: z.number() })) }),
  z.object({ kind: z.literal('bad'), problem: z.string() }),
]);

/**
 * Reads a manifest in a thread of its own, so that a text made to take long does not hold up the other runs, and ends it
 * where it does.
 * @throws Fault BAD_INPUT, with what is wrong and where
 */
export async function readApart(text: string, signal: AbortSignal, ms: number = patienceMs): Promise<Entry[]> {
  const reading = text.length <= small ? readManifest(text) : await readInThread(text, signal, ms);
  if (reading.kind === 'objects') return reading.entries;
  throw fault('BAD_INPUT', { problem: `The manifest is not right. ${reading.problem}` });
}

async function readInThread(text: string, signal: AbortSignal, ms: number): Promise<Reading> {
  const thread = startThread(new URL('./read-thread.ts', import.meta.url), { memoryMb });
  try {
    return Answer.parse(await thread.ask(text, { ms, signal }));
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof ThreadFailed && thrown.why === 'late')
      return { kind: 'bad', problem: 'It takes too long to read. Split it into smaller ones.' };
    return { kind: 'bad', problem: `It cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  } finally {
    await thread.end();
  }
}
