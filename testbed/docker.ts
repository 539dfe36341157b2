import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BedBase, Part } from './bed-base.ts';
import { socketOpen } from './containerd.ts';

const run = promisify(execFile);

export type Docker = Part & {
  /** `unix:///…`, as DOCKER_HOST has it. */
  host: string;
  /** Builds a folder and pushes it, with the docker command. */
  buildAndPush(context: string, tag: string, args?: Record<string, string>): Promise<void>;
};

/** dockerd on the bed's containerd. It leaves the machine's network alone: no bridge, no iptables. */
export async function startDocker(base: BedBase, containerd: string): Promise<Docker> {
  const socket = join(base.dir, 'docker.sock');
  const host = `unix://${socket}`;
  const args = [
    `--host=${host}`,
    `--containerd=${containerd}`,
    `--data-root=${join(base.dir, 'docker')}`,
    `--exec-root=${join(base.dir, 'docker-exec')}`,
    `--pidfile=${join(base.dir, 'docker.pid')}`,
    `--cgroup-parent=/shipmate-${base.id}`,
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
  ];
  const part = await base.launch('dockerd', 'dockerd', args, { ready: () => socketOpen(socket) });
  const docker = (words: string[]) =>
    run('docker', ['--host', host, ...words], { timeout: 120_000, maxBuffer: 16 << 20 });
  return {
    ...part,
    host,
    buildAndPush: async (context, tag, buildArgs = {}) => {
      const list = Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
      await docker(['build', '--quiet', '--tag', tag, ...list, context]);
      await docker(['push', '--quiet', tag]);
    },
  };
}
