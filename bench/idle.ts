import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from './figures.ts';
import type { Ground } from './ground.ts';

const allowedMb = 220;

/** Resident memory of one idle process in all roles, against what it may take. */
export async function idle(ground: Ground): Promise<Figure> {
  const shipmate = await ground.start('all');
  await ground.slack.command('U0ANA', 'C0SHIP', '/ship status');
  await sleep(15_000);
  const status = await readFile(`/proc/${shipmate.pid}/status`, 'utf8');
  await shipmate.kill('SIGKILL');
  const kilobytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
  return {
    name: 'idle',
    ours: kilobytes / 1_024,
    floor: allowedMb,
    unit: 'MB resident; the floor is what is allowed',
    limit: 1,
  };
}
