import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import type { Part } from './launch.ts';
import { portOpen } from './ports.ts';

/** Redis as production should run it: an append-only file, nothing evicted. */
export async function startRedis(base: BedBase): Promise<Part & { url: string; port: number }> {
  const port = await base.port();
  const dir = join(base.dir, 'redis');
  await mkdir(dir);
  const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir];
  const keeping = ['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  // A title of its own would overwrite the environment by which the reaper knows its processes.
  const args = [...place, ...keeping, '--set-proc-title', 'no'];
  const part = await base.launch('redis', 'redis-server', args, { ready: () => portOpen(port) });
  return { ...part, url: `redis://127.0.0.1:${port}`, port };
}
