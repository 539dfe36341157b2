import type { RunContext, StepContext } from '../../core/operation.ts';
import { findPods } from './find.ts';
import { followLogs } from './follow.ts';
import { createFilter } from './grep.ts';
import { lineText } from './log-lines.ts';
import { othersNote, type Source, sourcesOf } from './log-sources.ts';
import { readLogs } from './read-logs.ts';
import { podNamed } from './subject.ts';

const mostSources = 50;

export type LogsInput = {
  app: string;
  env: string;
  pod?: string | undefined;
  container?: string | undefined;
  tail: number;
  since?: number | undefined;
  grep?: string | undefined;
  previous: boolean;
};
type LogsRun = RunContext<'kube', 'read'>;

/** The containers that are meant, of the pods as they are now. */
async function sources(
  run: LogsRun,
  { app, pod, container }: LogsInput,
): Promise<{ sources: Source[]; note?: string | undefined }> {
  const { pods } = await findPods(run, { app, pod });
  const single = podNamed(app);
  const [workload, appContainer] =
    single === undefined ? [run.place.workload, run.place.container] : [single, undefined];
  const alone = single !== undefined || pod !== undefined;
  const found = sourcesOf(pods, { container, appContainer, workload, ...(alone && pods.length === 1 && { alone }) });
  return { sources: found.slice(0, mostSources), note: container === undefined ? othersNote(pods, found) : undefined };
}

type Text = { text: string; note: string };
const joined = (notes: (string | undefined | false)[]) => notes.filter(Boolean).join('; ');

/** What was written until now. */
export async function readNow(run: LogsRun, input: LogsInput, { signal }: StepContext): Promise<Text> {
  const kube = run.on.kube(run.site.cluster);
  const from = await sources(run, input);
  const { tail, since, previous, grep } = input;
  const wanted = { tail, previous, ...(since !== undefined && { sinceSeconds: Math.ceil(since / 1_000) }) };
  const filter = createFilter(grep);
  try {
    const searched = grep !== undefined;
    const found = await readLogs(kube, run.site.namespace, from.sources, wanted, { filter, searched }, signal);
    const count = `${found.lines.length} lines`;
    return {
      text: found.lines.map(lineText).join('\n'),
      note: joined([
        from.sources.length === 0 ? 'there are no pods' : grep === undefined ? count : `${count} with ${grep}`,
        found.left > 0 && `${found.left} older ones are left out`,
        from.note,
        ...found.problems.slice(0, 3),
      ]),
    };
  } finally {
    await filter.close();
  }
}

/** What is written from now on, told to the run's thread, for `ms`. */
export async function readLive(run: LogsRun, input: LogsInput, ms: number, step: StepContext): Promise<Text> {
  const kube = run.on.kube(run.site.cluster);
  const filter = createFilter(input.grep);
  const takenUp = run.now() - step.startedAt > 2_000;
  try {
    const now = async () => (await sources(run, input)).sources;
    const { text, count, dropped, left } = await followLogs(
      kube,
      run.site.namespace,
      now,
      { ms, filter },
      step,
      run.now,
    );
    return {
      text,
      note: joined([
        `${count} lines`,
        dropped > 0 && `${dropped} of them were too many for the thread`,
        left > 0 && `${left} older ones are left out`,
        takenUp && 'another worker took over in between: what came before is in the thread',
      ]),
    };
  } finally {
    await filter.close();
  }
}
