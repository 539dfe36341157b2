import type { LogOptions, ObjectRef } from '../../core/kube.ts';
import { linesOf } from '../../core/lines.ts';
import { within } from '../../core/within.ts';
import type { Connection } from './connection.ts';
import { kindNamed, objectPath } from './resources.ts';

/** So much of one container's log at most, where it is not followed. */
const limitBytes = 5_000_000;
const last = { lines: 10, bytes: 20_000, ms: 5_000 };

/** A pod's log, line by line; see `Kube.logs`. */
export async function* readLogs(
  connection: Connection,
  { namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>,
  options: LogOptions & { timestamps?: boolean; limitBytes?: number },
  signal: AbortSignal,
): AsyncIterable<string> {
  const { container, previous, sinceSeconds, tailLines, follow, timestamps = true } = options;
  const query = {
    timestamps: String(timestamps),
    ...(container !== undefined && { container }),
    ...(previous && { previous: 'true' }),
    ...(sinceSeconds !== undefined && { sinceSeconds: String(sinceSeconds) }),
    ...(tailLines !== undefined && { tailLines: String(tailLines) }),
    ...(follow ? { follow: 'true' } : { limitBytes: String(options.limitBytes ?? limitBytes) }),
  };
  const path = `${objectPath(kindNamed('Pod'), { namespace, name })}/log`;
  for await (const line of linesOf(await connection.stream({ path, query, signal }), { rest: true }))
    if (line !== '') yield line;
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

/** The last lines of a container that crashed: of the run before, or of this one where there was none. */
export async function lastLogLines(
  connection: Connection,
  namespace: string,
  { pod, container }: { pod: string; container: string },
  signal: AbortSignal,
): Promise<string[]> {
  const read = async (previous: boolean) => {
    const options = { container, previous, tailLines: last.lines, limitBytes: last.bytes, timestamps: false };
    const soon = within(signal, last.ms);
    return await all(readLogs(connection, { namespace, name: pod }, options, soon));
  };
  const before = await read(true).catch(() => []);
  // The kubelet answers 200 with this sentence where the container before is cleared away already.
  const gone = before.length === 0 || before[0]?.startsWith('unable to retrieve container logs');
  return (gone ? await read(false) : before).slice(-last.lines);
}
