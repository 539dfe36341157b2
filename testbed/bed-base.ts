import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A program of the bed that tests may ill-treat. */
export type Part = {
  pid(): number;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again as it was, on the same port. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
};

export type BedBase = {
  /** Short and unique on this machine: names of bridges and cgroups are made of it. */
  id: string;
  dir: string;
  log: (line: string) => void;
  /** Starts a program whose output goes to a file in the bed's folder, and waits until `ready`. */
  launch(
    name: string,
    program: string,
    args: string[],
    options: { ready: () => Promise<boolean>; env?: NodeJS.ProcessEnv },
  ): Promise<Part>;
  /** Ends everything that was started and removes what it left on the machine. */
  stop(): Promise<void>;
};

/** Listens for a moment to find a port that is free; `wanted` if it is. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  const opened = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(wanted, '127.0.0.1', () => resolve(true));
  });
  if (!(await opened)) return await freePort();
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port to be had');
  return address.port;
}

export async function portOpen(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect(port, host);
  const open = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return open;
}

const patienceMs = 60_000;

async function lastWords(file: string): Promise<string> {
  return (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(-15).join('\n');
}

async function untilReady(
  name: string,
  child: ChildProcess,
  file: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  const began = Date.now();
  while (!(await ready().catch(() => false))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `${name} ended while starting (${child.exitCode ?? child.signalCode}):\n${await lastWords(file)}`,
      );
    if (Date.now() - began > patienceMs) throw new Error(`${name} was not ready after 60 s:\n${await lastWords(file)}`);
    await sleep(50);
  }
}

/** An empty bed with its reaper: from here on nothing that is started in it outlives this process. */
export async function createBase(log: (line: string) => void): Promise<BedBase> {
  const dir = await mkdtemp('/tmp/shipmate-bed-');
  const id = randomBytes(4).toString('hex');
  await mkdir(join(dir, 'logs'));
  const reaper = spawn(process.execPath, [fileURLToPath(new URL('./reaper.mjs', import.meta.url)), id, dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  reaper.unref();

  const launch: BedBase['launch'] = async (name, program, args, { ready, env }) => {
    const file = join(dir, 'logs', `${name}.log`);
    const spawned = (): ChildProcess => {
      const out = openSync(file, 'a');
      // A session of its own: Ctrl-C ends the owner, and the reaper ends the rest in order.
      const child = spawn(program, args, { stdio: ['ignore', out, out], detached: true, ...(env && { env }) });
      closeSync(out);
      child.unref();
      return child;
    };
    let child = spawned();
    child.on('error', (problem) => log(`${name}: ${problem.message}`));
    await untilReady(name, child, file, ready);
    return {
      pid: () => child.pid ?? 0,
      kill: async () => {
        const gone = once(child, 'exit');
        child.ref();
        child.kill('SIGKILL');
        await gone;
      },
      start: async () => {
        child = spawned();
        await untilReady(name, child, file, ready);
      },
      pause: () => void child.kill('SIGSTOP'),
      resume: () => void child.kill('SIGCONT'),
    };
  };
  const stop = async () => {
    const gone = once(reaper, 'exit');
    reaper.ref();
    reaper.stdin.end();
    await gone;
  };
  return { id, dir, log, launch, stop };
}
