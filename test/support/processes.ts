import { readdir, readFile } from 'node:fs/promises';

/** The processes with these words in their command line, in whatever container of this machine. */
export async function processesWith(what: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.replaceAll('\0', ' ').includes(what) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

export const runs = async (what: string): Promise<boolean> => (await processesWith(what)).length > 0;
