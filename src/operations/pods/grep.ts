import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { startThread, ThreadFailed } from '../../processes/thread.ts';

/** So long may a pattern take for one portion of lines. */
const patienceMs = 2_000;
/** Two megabytes of pattern and lines, with room to spare. */
const memoryMb = 128;

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
  /** Of some lines, those that fit; asked several times at once, each gets its own. @throws Fault BAD_INPUT where the pattern takes too long, or cannot be used */
  of<Line extends { text: string }>(lines: readonly Line[]): Promise<Line[]>;
  close(): Promise<void>;
};

const Fits = z.array(z.boolean());

function inThread(source: string, flags: string): Filter {
  const thread = startThread(new URL('./grep-thread.ts', import.meta.url), { data: { source, flags }, memoryMb });
  const refused = (thrown: unknown) => {
    const late = thrown instanceof ThreadFailed && thrown.why === 'late';
    const why = late ? 'takes too long' : 'takes more memory than it is given';
    return fault('BAD_INPUT', { problem: `The pattern /${source}/ ${why}. Write a simpler one.` }, thrown);
  };
  return {
    of: async (lines) => {
      if (lines.length === 0) return [];
      const asked = thread.ask(
        lines.map(({ text }) => text),
        { ms: patienceMs },
      );
      const fits = Fits.parse(
        await asked.catch((thrown: unknown) => {
          throw refused(thrown);
        }),
      );
      return lines.filter((_, index) => fits[index]);
    },
    close: thread.end,
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
