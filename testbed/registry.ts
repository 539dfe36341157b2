import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import type { Part } from './launch.ts';
import { portOpen } from './ports.ts';

/** An image registry on loopback, over plain HTTP; on `preferredPort` if that is free. */
export async function startRegistry(base: BedBase, preferredPort?: number): Promise<Part & { host: string }> {
  const port = await base.port(preferredPort);
  const file = join(base.dir, 'registry.json');
  const config = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(base.dir, 'registry') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: base.id },
  };
  await writeFile(file, JSON.stringify(config));
  const part = await base.launch('registry', 'docker-registry', ['serve', file], { ready: () => portOpen(port) });
  return { ...part, host: `127.0.0.1:${port}` };
}
