import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import type { Launch } from './launch.ts';

// Places that are built into containerd, CNI, dockerd and the kubelet: each bed has its own behind them.
const fixedPlaces = [
  '/etc/docker',
  '/run/containerd',
  '/run/netns',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
];

/**
 * A view of the file system that is the bed's own, for all that runs containers; answers with a `launch` into it.
 * What is mounted there is seen by nobody else and goes with the last process in it: beds side by side don't meet,
 * and one that dies leaves no mount behind.
 */
export async function startMountNamespace(base: BedBase): Promise<Launch> {
  const outside = await readlink('/proc/self/ns/mnt');
  const args = ['--mount', '--propagation', 'private', 'sleep', 'infinity'];
  const holder = await base.launch('mount-namespace', 'unshare', args, {
    ready: async (pid) => (await readlink(`/proc/${pid}/ns/mnt`)) !== outside,
  });
  const enter = `--mount=/proc/${holder.pid()}/ns/mnt`;
  // Volumes may ask for mount propagation, which needs peers; these are all inside.
  await base.run('nsenter', [enter, 'mount', '--make-rshared', '/']);
  for (const place of fixedPlaces) {
    const own = join(base.dir, 'places', place);
    await Promise.all([mkdir(own, { recursive: true }), mkdir(place, { recursive: true })]);
    await base.run('nsenter', [enter, 'mount', '--bind', own, place]);
  }
  return (name, program, programArgs, options) =>
    base.launch(name, 'nsenter', [enter, program, ...programArgs], options);
}
