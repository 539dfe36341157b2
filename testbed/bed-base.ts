import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { release } from './claim.ts';
import { createLauncher, type Launch } from './launch.ts';
import { freePort } from './ports.ts';

export type BedBase = {
  /** Short and unique on this machine: names of bridges and cgroups are made of it. */
  id: string;
  dir: string;
  log: (line: string) => void;
  /** Starts a program whose output goes to a file in the bed's folder, and waits until `ready`. It ends with the bed. */
  launch: Launch;
  /** Runs a short program to its end and answers with what it printed. @throws Error with what it complained of */
  run(program: string, args: string[], options?: RunOptions): Promise<string>;
  /** A port of loopback for a part of this bed; `wanted` if that is free. */
  port(wanted?: number): Promise<number>;
  /** Keeps a claim until the bed has stopped. */
  keep(claimed: Server): void;
  /** Ends everything that was started and removes what it left on the machine. @throws Error if something would not go */
  stop(): Promise<void>;
};

type RunOptions = { stdin?: string; timeoutMs?: number; env?: NodeJS.ProcessEnv };

const runIn =
  (env: NodeJS.ProcessEnv): BedBase['run'] =>
  (program, args, { stdin = '', timeoutMs = 60_000, env: more } = {}) =>
    new Promise((resolve, reject) => {
      const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 } as const;
      const child = execFile(program, args, { ...limits, env: { ...env, ...more } }, (problem, out, err) => {
        if (!problem) return resolve(out);
        const why = problem.killed ? `no answer in ${timeoutMs / 1_000} s` : err.trim() || problem.message;
        reject(new Error(`${program.split('/').at(-1)} ${args.join(' ')}: ${why}`));
      });
      // It may end without reading what it is given: that is no fault of ours.
      child.stdin?.on('error', () => {});
      child.stdin?.end(stdin);
    });

function startReaper(id: string, dir: string): { tell(pid: number): void; reap(): Promise<void> } {
  const program = fileURLToPath(new URL('./reaper.ts', import.meta.url));
  const reaper = spawn(process.execPath, [program, id, dir], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
    cwd: '/',
  });
  const ended = new Promise<string>((resolve) => {
    reaper.once('error', ({ message }) => resolve(message));
    reaper.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  reaper.stdin.on('error', () => {});
  reaper.unref();
  return {
    tell: (pid) => void reaper.stdin.write(`${pid}\n`),
    reap: async () => {
      reaper.ref();
      reaper.stdin.end();
      const end = await ended;
      if (end !== 'exit 0') throw new Error(`the test bed in ${dir} could not be removed whole (${end})`);
    },
  };
}

/** An empty bed with its reaper: from here on nothing that is started in it outlives this process. */
export async function createBase(log: (line: string) => void): Promise<BedBase> {
  const dir = await mkdtemp('/tmp/shipmate-bed-');
  const id = randomBytes(4).toString('hex');
  await mkdir(join(dir, 'logs'));
  const reaper = startReaper(id, dir);
  // Nothing else of the owner's environment reaches the parts: not its KUBECONFIG, DOCKER_HOST or proxies.
  // SHIPMATE_BED is how the reaper knows them, and what they start in turn.
  const path = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  const env = { PATH: path, HOME: dir, SHIPMATE_BED: id };
  const claims: Server[] = [];
  let stopped: Promise<void> | undefined;
  const stopping = () => stopped !== undefined;
  return {
    id,
    dir,
    log,
    launch: createLauncher({ logs: join(dir, 'logs'), env, log, started: reaper.tell, stopping }),
    run: runIn(env),
    port: async (wanted) => {
      const { port, claimed } = await freePort(wanted);
      claims.push(claimed);
      return port;
    },
    keep: (claimed) => void claims.push(claimed),
    stop: () => {
      stopped ??= reaper.reap().finally(() => Promise.all(claims.map(release)));
      return stopped;
    },
  };
}
