import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../core/errors.ts';
import type { Kube, LogOptions } from '../../core/kube.ts';
import type { StepContext } from '../../core/operation.ts';
import { within } from '../../core/within.ts';
import { podRef } from './find.ts';
import type { Filter } from './grep.ts';
import { inOrder, type LogLine, lineReader, lineText, newest } from './log-lines.ts';
import type { Source } from './log-sources.ts';
import { mostLetters } from './read-logs.ts';

/** So much goes into the thread each second, and of one line; all of it is in the report at the end. */
const rate = { everyMs: 1_000, lines: 20, line: 300, letters: 2_000 };
/** Of what was written before. */
const firstLines = 10;
/** Every so many seconds pods are looked for that came meanwhile. */
const lookEvery = 2;
const mostSources = 50;

/** As many lines as the rate allows, and how many were too many. */
function allowed(lines: readonly LogLine[]): { shown: string[]; dropped: number } {
  const shown: string[] = [];
  let letters = 0;
  for (const line of lines) {
    const text = lineText(line);
    letters += Math.min(text.length, rate.line);
    if (shown.length >= rate.lines || letters > rate.letters) break;
    shown.push(text);
  }
  return { shown, dropped: lines.length - shown.length };
}

/** What was written before the line, or is the line itself. */
const isOld = (line: LogLine, last: LogLine) =>
  line.seconds < last.seconds || (line.seconds === last.seconds && line.nanos <= last.nanos);

/** Hears out sources until the signal. One that ends (its container crashed) is opened again, and goes on where it was. */
function createStreams(kube: Kube, namespace: string, take: (line: LogLine) => void, signal: AbortSignal) {
  const open = new Set<string>();
  const lasts = new Map<string, LogLine>();
  let forbidden: Fault | undefined;
  let begun = false;
  const read = async ({ pod, container, label }: Source, key: string, options: LogOptions) => {
    const reader = lineReader(label);
    const last = lasts.get(key);
    for await (const raw of kube.logs(podRef(namespace, pod), { container, follow: true, ...options }, signal)) {
      const line = reader(raw);
      if (!line || (last && isOld(line, last))) continue;
      lasts.set(key, line);
      take(line);
    }
  };
  return {
    listen: (sources: readonly Source[]) => {
      for (const source of sources) {
        const key = `${source.pod}/${source.container}`;
        if (open.has(key) || open.size >= mostSources) continue;
        open.add(key);
        const options = lasts.has(key) ? { sinceSeconds: 60 } : begun ? {} : { tailLines: firstLines };
        // A container that has not started yet, or a pod on its way out: it is looked at again in a moment.
        void read(source, key, options)
          .catch((thrown: unknown) => {
            if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') forbidden = thrown;
          })
          .finally(() => open.delete(key));
      }
      begun = true;
    },
    check: () => {
      if (forbidden) throw forbidden;
    },
  };
}

/** What may pass is waited for: the pods that are known go on being heard. */
function waitFor(thrown: unknown): Source[] {
  if (thrown instanceof Fault && thrown.retry === 'later') return [];
  throw thrown;
}

export type Followed = { text: string; count: number; dropped: number; left: number };

/** Tells the thread what pods write, for a while, at a rate that people can read. Those that come meanwhile are heard too. */
export async function followLogs(
  kube: Kube,
  namespace: string,
  sources: () => Promise<Source[]>,
  { ms, filter }: { ms: number; filter: Filter },
  { startedAt, signal, log, note }: StepContext,
  now: () => number,
): Promise<Followed> {
  const limited = within(signal, Math.max(0, startedAt + ms - now()));
  const waiting: LogLine[] = [];
  let kept: LogLine[] = [];
  let [count, dropped, left] = [0, 0, 0];
  const streams = createStreams(kube, namespace, (line) => void waiting.push(line), limited);
  const tell = async () => {
    const fresh = inOrder(await filter.of(waiting.splice(0)));
    count += fresh.length;
    const all = [...kept, ...fresh];
    kept = newest(all, { lines: Number.POSITIVE_INFINITY, letters: mostLetters });
    left += all.length - kept.length;
    const part = allowed(fresh);
    for (const line of part.shown) log(line, rate.line);
    dropped += part.dropped;
    if (part.dropped > 0) log(`… ${part.dropped} lines left out here: more than fit`);
    note(`${count} lines`);
  };
  streams.listen(await sources());
  for (let turn = 1; !limited.aborted; turn++) {
    await sleep(rate.everyMs, undefined, { signal: limited }).catch(() => {});
    streams.check();
    await tell();
    if (turn % lookEvery === 0 && !limited.aborted) streams.listen(await sources().catch(waitFor));
  }
  signal.throwIfAborted();
  return { text: kept.map(lineText).join('\n'), count, dropped, left };
}
