import type { StepContext } from '../core/operation.ts';
import type { Lap } from './lap.ts';

/** A build may say hundreds of lines a second; the store and Slack are told a few times a second. */
const togetherMs = 250;

/** What a step may say. */
type Said = Pick<StepContext, 'startedAt' | 'signal' | 'note' | 'log' | 'record'>;

export type Progress = { context: Said; flush(): Promise<void>; records(): readonly string[] };

/** What a step says while it acts, stored together. A lost word must not end the step; a lost lease will show at its next real write. */
export function createProgress(lap: Lap, name: string, startedAt: number, signal: AbortSignal): Progress {
  let lines: string[] = [];
  let newest: string | undefined;
  const records: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  const write = async () => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0 && newest === undefined) return;
    const note = newest;
    const said = lines.map((text) => ({ kind: 'log' as const, step: name, text }));
    const noted = note === undefined ? [] : [{ kind: 'note' as const, step: name, text: note }];
    lines = [];
    newest = undefined;
    const change: Parameters<Lap['save']>[0] = (run) => {
      const step = run.steps[name];
      return step && note !== undefined ? { ...run, steps: { ...run.steps, [name]: { ...step, note } } } : run;
    };
    await lap.save(change, [...said, ...noted]).catch((problem: unknown) => {
      lap.engine.log.warn({ runId: lap.run().id, problem }, 'progress not stored');
    });
  };
  const soon = () => {
    timer ??= setTimeout(() => void write(), togetherMs);
  };
  return {
    context: {
      startedAt,
      signal,
      note: (text) => {
        newest = lap.engine.redact(text);
        soon();
      },
      log: (text, longest = Number.POSITIVE_INFINITY) => {
        const clean = lap.engine.redact(text);
        lines.push(clean.length > longest ? `${clean.slice(0, longest - 1)}…` : clean);
        soon();
      },
      record: (text) => void records.push(text),
    },
    flush: write,
    records: () => records,
  };
}
