import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Connection } from './connection.ts';
import { listPath } from './resources.ts';

const lines = 10;

/** The last lines of a container that crashed: of the run before, or of this one where there was none. */
export async function lastLogLines(
  connection: Connection,
  namespace: string,
  { pod, container }: { pod: string; container: string },
  signal: AbortSignal,
): Promise<string[]> {
  const path = `${listPath('v1', 'Pod', namespace)}/${encodeURIComponent(pod)}/log`;
  const read = async (previous: boolean) => {
    const query = { container, tailLines: `${lines}`, limitBytes: '20000', ...(previous && { previous: 'true' }) };
    const both = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
    return await text(Readable.from(await connection.stream({ path, query, signal: both })));
  };
  const said = await read(true).catch(() => read(false));
  return said
    .split('\n')
    .filter((line) => line !== '')
    .slice(-lines);
}
