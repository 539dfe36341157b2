import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const printed = async (program: string, args: string[]) =>
  (await promisify(execFile)(program, args, { timeout: 10_000, maxBuffer: 64 << 20 })).stdout.split('\n');

/** What of a bed is still on this machine, by means of its own: processes, mounts, network cards, cgroups, files. */
async function leftovers({ id, dir }: { id: string; dir: string }): Promise<string[]> {
  const [processes, mounts, links, cgroups] = await Promise.all([
    // `e` shows the environment as well, where each process of a bed carries the bed's id.
    printed('ps', ['axeww', '-o', 'pid,args']),
    printed('cat', ['/proc/self/mountinfo']),
    printed('ip', ['-o', 'link']),
    printed('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', `shipmate-${id}`]),
  ]);
  return [
    ...processes.filter((line) => line.includes(`SHIPMATE_BED=${id}`) || line.includes(dir)),
    ...mounts.filter((line) => line.includes(dir)),
    ...links.filter((line) => line.includes(`sm${id}`)),
    ...cgroups.filter((line) => line !== ''),
    ...(existsSync(dir) ? [dir] : []),
  ].map((line) => line.slice(0, 200));
}

/** What is left after `patienceMs`, or as soon as there is nothing. */
export async function leftoversAfter(patienceMs: number, bed: { id: string; dir: string }): Promise<string[]> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const left = await leftovers(bed);
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(100);
  }
}
