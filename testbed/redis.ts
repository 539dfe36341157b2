import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BedBase, freePort, type Part, portOpen } from './bed-base.ts';

/** Redis as production should run it: an append-only file, nothing evicted. */
export async function startRedis(base: BedBase): Promise<Part & { url: string; port: number }> {
  const port = await freePort();
  const dir = join(base.dir, 'redis');
  await mkdir(dir);
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes'];
  const part = await base.launch('redis', 'redis-server', [...args, '--maxmemory-policy', 'noeviction'], {
    ready: () => portOpen(port),
  });
  return { ...part, url: `redis://127.0.0.1:${port}`, port };
}
