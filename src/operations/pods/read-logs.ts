import { Fault } from '../../core/errors.ts';
import type { Kube, LogOptions } from '../../core/kube.ts';
import { podRef } from './find.ts';
import type { Filter } from './grep.ts';
import { inOrder, type LogLine, lineReader, newest } from './log-lines.ts';
import type { Source } from './log-sources.ts';

/** A report holds so much at most: it is stored with its run. */
export const mostLetters = 400_000;
/** Where lines are looked for, so many of each container are looked through. */
const searchedLines = 20_000;
/** The client reads 5 MB of one log, from its oldest line on: above this the newest may be missing. */
const fullBytes = 4_800_000;
const atOnce = 5;

export type Wanted = { tail: number; sinceSeconds?: number | undefined; previous: boolean };
export type Read = { lines: LogLine[]; left: number; problems: string[] };

async function readOnce(
  kube: Kube,
  namespace: string,
  { pod, container, label }: Source,
  options: LogOptions,
  signal: AbortSignal,
) {
  const read = lineReader(label);
  const lines: LogLine[] = [];
  let bytes = 0;
  for await (const raw of kube.logs(podRef(namespace, pod), { container, ...options }, signal)) {
    bytes += Buffer.byteLength(raw) + 1;
    const line = read(raw);
    if (line) lines.push(line);
  }
  return { lines, full: bytes > fullBytes };
}

/** One container's lines. Where they are too long to be had at once, fewer are asked for until the newest are among them. */
async function readSource(
  kube: Kube,
  namespace: string,
  source: Source,
  wanted: Wanted,
  searched: boolean,
  signal: AbortSignal,
): Promise<LogLine[]> {
  const { sinceSeconds, previous } = wanted;
  for (let tailLines = searched ? searchedLines : wanted.tail; ; tailLines = Math.ceil(tailLines / 4)) {
    const options = { previous, tailLines, ...(sinceSeconds !== undefined && { sinceSeconds }) };
    const { lines, full } = await readOnce(kube, namespace, source, options, signal);
    if (!full || tailLines === 1) return lines;
  }
}

/** The API server's words without what everybody knows. */
const plainly = ({ message }: Fault) => message.replace(/^The cluster “[^”]*” refused it: /, '');

/** The logs of many containers, merged in the order of time. One that has none yet does not hide the others. */
export async function readLogs(
  kube: Kube,
  namespace: string,
  sources: readonly Source[],
  wanted: Wanted,
  filter: { filter: Filter; searched: boolean },
  signal: AbortSignal,
): Promise<Read> {
  const problems: string[] = [];
  let lines: LogLine[] = [];
  let left = 0;
  for (let start = 0; start < sources.length; start += atOnce) {
    const portion = sources.slice(start, start + atOnce).map(async (source) => {
      try {
        const found = await readSource(kube, namespace, source, wanted, filter.searched, signal);
        return newest(await filter.filter.of(found), { lines: wanted.tail, letters: mostLetters });
      } catch (thrown) {
        if (!(thrown instanceof Fault) || thrown.code !== 'CLUSTER_REFUSED') throw thrown;
        problems.push(plainly(thrown));
        return [];
      }
    });
    const merged = inOrder([lines, ...(await Promise.all(portion))].flat());
    lines = newest(merged, { lines: wanted.tail, letters: mostLetters });
    left += merged.length - lines.length;
  }
  return { lines, left, problems };
}
