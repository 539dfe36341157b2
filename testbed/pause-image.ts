import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

async function tar(files: { name: string; body: Uint8Array | string; mode?: number }[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, body, mode } of files) archive.entry({ name, mode: mode ?? 0o644 }, Buffer.from(body));
  archive.finalize();
  return await buffer(archive);
}

/** Writes an image archive whose one process sleeps: what holds a pod's namespaces. Made here, since none can be pulled. */
export async function writePauseArchive(file: string, tag: string): Promise<void> {
  const busybox = await readFile('/bin/busybox');
  const layer = await tar([{ name: 'bin/busybox', body: busybox, mode: 0o755 }]);
  const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: ['/bin/busybox', 'sleep', '2147483647'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  });
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }]);
  const parts = [
    { name: 'config.json', body: config },
    { name: 'layer.tar', body: layer },
    { name: 'manifest.json', body: manifest },
  ];
  await writeFile(file, await tar(parts));
}
