import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../../testbed/compile.ts';
import { socketOpen } from '../../testbed/ports.ts';
import { tethered } from '../../testbed/tether.ts';

export type BuildKit = {
  address: string;
  process: ChildProcess;
  start(): Promise<void>;
  kill(): Promise<void>;
  end(): Promise<void>;
};

/** A BuildKit of one's own that knows nothing yet, to be killed and started again on what it kept. */
export async function startBuildKit(): Promise<BuildKit> {
  const [programs, dir] = await Promise.all([
    compiled('buildkitd', () => {}),
    mkdtemp(join(tmpdir(), 'shipmate-buildkit-')),
  ]);
  const socket = join(dir, 'buildkitd.sock');
  const flags = [
    `--addr=unix://${socket}`,
    `--root=${join(dir, 'root')}`,
    '--containerd-worker=false',
    '--oci-worker-snapshotter=native',
    '--oci-worker-net=host',
  ];
  const begin = async () => {
    // As in a container: what it runs ends with it, and its mounts are nobody else's.
    const alone = ['--pid', '--fork', '--kill-child=KILL', '--mount-proc', join(programs, 'buildkitd'), ...flags];
    const child = spawn(...tethered('unshare', alone), { stdio: 'ignore', cwd: dir });
    for (let tries = 0; !(await socketOpen(socket)); tries++) {
      if (tries > 200 || child.exitCode !== null) throw new Error('buildkitd did not start');
      await sleep(50);
    }
    return child;
  };
  const own: BuildKit = {
    address: `unix://${socket}`,
    process: await begin(),
    start: async () => {
      await rm(socket, { force: true });
      own.process = await begin();
    },
    kill: async () => {
      if (own.process.exitCode !== null || own.process.signalCode !== null) return;
      own.process.kill('SIGKILL');
      await once(own.process, 'exit');
    },
    end: async () => {
      await own.kill();
      await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
  return own;
}
