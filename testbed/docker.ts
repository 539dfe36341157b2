import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import type { Launch, Part } from './launch.ts';
import { socketOpen } from './ports.ts';

export type DockerHost = {
  /** `unix:///…`, as DOCKER_HOST has it. */
  host: string;
  /**
   * Builds and pushes an image; answers with its digest. The context is a folder, or files by their names,
   * `{ Dockerfile: 'FROM …' }`.
   */
  buildAndPush(context: string | Record<string, string>, tag: string, args?: Record<string, string>): Promise<string>;
};

export type Docker = Part & DockerHost;

async function contextFolder(base: BedBase, files: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(base.dir, 'context-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

/** A Docker daemon that is there already. */
export function dockerAt(base: BedBase, host: string): DockerHost {
  const docker = (args: string[]) => base.run('docker', ['--host', host, ...args], { timeoutMs: 120_000 });
  return {
    host,
    buildAndPush: async (context, tag, buildArgs = {}) => {
      const list = Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
      const folder = typeof context === 'string' ? context : await contextFolder(base, context);
      await docker(['build', '--quiet', '--tag', tag, ...list, folder]);
      const digest = /digest: (sha256:\w+)/.exec(await docker(['push', tag]))?.[1];
      if (digest === undefined) throw new Error(`docker push ${tag} named no digest`);
      return digest;
    },
  };
}

/** dockerd on the bed's containerd. It leaves the machine's network alone: no bridge, no iptables. */
export async function startDocker(base: BedBase, launch: Launch, containerd: string): Promise<Docker> {
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
  const part = await launch('dockerd', 'dockerd', args, { ready: () => socketOpen(socket) });
  return { ...part, ...dockerAt(base, host) };
}
