import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';

/** So long may a pattern take for one portion of lines. */
const patienceMs = 2_000;

const slashed = /^\/(.+)\/(i?)$/;

function problemOf(wanted: string): string | undefined {
  const [, source, flags] = slashed.exec(wanted) ?? [];
  if (source === undefined) return undefined;
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

export const Grep = z
  .string()
  .min(1)
  .max(200)
  .superRefine((wanted, context) => {
    const problem = problemOf(wanted);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `is not a pattern: ${problem}` });
  })
  .describe('Only lines with this text, or that match this /pattern/')
  .meta({ examples: ['timeout'] });

export type Filter = {
  /** Of some lines, those that fit. @throws Fault BAD_INPUT where the pattern takes too long */
  of<Line extends { text: string }>(lines: readonly Line[]): Promise<Line[]>;
  close(): Promise<void>;
};

function inThread(source: string, flags: string): Filter {
  const worker = new Worker(new URL('./grep-thread.ts', import.meta.url), { workerData: { source, flags } });
  worker.unref();
  const ask = (lines: readonly string[]) =>
    new Promise<boolean[]>((resolve, reject) => {
      const late = setTimeout(() => {
        void worker.terminate();
        reject(fault('BAD_INPUT', { problem: `The pattern /${source}/ takes too long. Write a simpler one.` }));
      }, patienceMs);
      worker.once('message', (fits: boolean[]) => {
        clearTimeout(late);
        resolve(fits);
      });
      worker.postMessage(lines);
    });
  return {
    of: async (lines) => {
      if (lines.length === 0) return [];
      const fits = await ask(lines.map(({ text }) => text));
      return lines.filter((_, index) => fits[index]);
    },
    close: async () => void (await worker.terminate()),
  };
}

/** Finds lines by a text, or by a pattern between slashes. */
export function createFilter(wanted: string | undefined): Filter {
  const [, source, flags = ''] = slashed.exec(wanted ?? '') ?? [];
  if (source !== undefined) return inThread(source, flags);
  return {
    of: async (lines) => (wanted === undefined ? [...lines] : lines.filter(({ text }) => text.includes(wanted))),
    close: async () => {},
  };
}
