import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, fault } from '../../core/errors.ts';
import type { LogOptions, ObjectRef } from '../../core/kube.ts';
import { linesOf } from '../../core/lines.ts';
import { within } from '../../core/within.ts';
import type { Connection } from './connection.ts';
import { kindNamed, objectPath } from './resources.ts';

/** So much of one container's log at most, where it is not followed. */
const limitBytes = 5_000_000;
/** Of a container that crashed; looked for again `looks` times, as one log goes and the next is not known yet. */
const last = { lines: 10, bytes: 20_000, ms: 5_000, looks: 3, againMs: 300 };

const stamp = /^\d{4}-\d\d-\d\dT\S+ ?/;
/**
 * What a kubelet writes in a log's place, with a 200 before it, where the log is gone or goes while it is read
 * (pkg/kubelet/kuberuntime and k8s.io/cri-client/pkg/logs, v1.37). It has no time in front, as each line of a container has.
 */
const isGone = (line: string): boolean =>
  /^(?:unable to retrieve container logs|failed to (?:try resolving symlinks|open log file|tail|seek|read log file)) /.test(
    line,
  );

/**
 * A pod's log, line by line, each with its time in front; see `Kube.logs`.
 *
 * @throws Fault CLUSTER_REFUSED where the container's log is gone from its node.
 */
export async function* readLogs(
  connection: Connection,
  { namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>,
  options: LogOptions & { limitBytes?: number },
  signal: AbortSignal,
): AsyncIterable<string> {
  const { container, previous, sinceSeconds, tailLines, follow } = options;
  const query = {
    timestamps: 'true',
    ...(container !== undefined && { container }),
    ...(previous && { previous: 'true' }),
    ...(sinceSeconds !== undefined && { sinceSeconds: String(sinceSeconds) }),
    ...(tailLines !== undefined && { tailLines: String(tailLines) }),
    ...(follow ? { follow: 'true' } : { limitBytes: String(options.limitBytes ?? limitBytes) }),
  };
  const path = `${objectPath(kindNamed('Pod'), { namespace, name })}/log`;
  for await (const line of linesOf(await connection.stream({ path, query, signal }), { rest: true })) {
    if (isGone(line))
      throw fault('CLUSTER_REFUSED', {
        cluster: connection.cluster,
        problem: `${name}: its log is gone from the node`,
      });
    if (line !== '') yield line;
  }
}

/**
 * The last lines of a container that crashed: of the run before, or of this one where there was none. While it begins anew
 * the kubelet may know of a log that is gone already, and not yet of the one that has come: it is asked again.
 */
export async function lastLogLines(
  connection: Connection,
  namespace: string,
  { pod, container }: { pod: string; container: string },
  signal: AbortSignal,
): Promise<string[]> {
  // A kubelet that says nothing is asked for both logs once.
  const limited = within(signal, 2 * last.ms);
  const read = async (previous: boolean) => {
    const options = { container, previous, tailLines: last.lines, limitBytes: last.bytes };
    const lines: string[] = [];
    try {
      for await (const line of readLogs(connection, { namespace, name: pod }, options, within(limited, last.ms))) {
        const words = line.replace(stamp, '');
        if (words !== '') lines.push(words);
      }
    } catch (thrown) {
      // Whatever keeps a log from being read is no reason to keep the rest back.
      return { lines, gone: thrown instanceof Fault && thrown.code === 'CLUSTER_REFUSED' };
    }
    return { lines, gone: false };
  };
  for (let look = 1; ; look++) {
    let anyGone = false;
    for (const previous of [true, false]) {
      const { lines, gone } = await read(previous);
      if (lines.length > 0) return lines.slice(-last.lines);
      anyGone ||= gone;
    }
    if (!anyGone || look === last.looks || limited.aborted) return [];
    await sleep(last.againMs, undefined, { signal: limited }).catch(() => {});
  }
}
