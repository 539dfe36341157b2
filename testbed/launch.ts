import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program of the bed that tests may ill-treat. */
export type Part = {
  pid(): number;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again as it was, on the same port, and waits until it is ready. */
  start(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
};

export type Launch = (
  name: string,
  program: string,
  args: string[],
  options: { ready: (pid: number) => Promise<boolean>; env?: NodeJS.ProcessEnv },
) => Promise<Part>;

type Running = { child: ChildProcess; ended: Promise<void>; end(): string | undefined };

function spawnInto(file: string, program: string, args: string[], env: NodeJS.ProcessEnv): Running {
  const out = openSync(file, 'a');
  // A session of its own: Ctrl-C ends the owner, and the reaper ends the rest in order.
  const child = spawn(program, args, { stdio: ['ignore', out, out], detached: true, env });
  closeSync(out);
  child.unref();
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    const over = (how: string) => {
      end ??= how;
      resolve();
    };
    child.once('error', ({ message }) => over(message));
    child.once('exit', (code, signal) => over(signal ?? `exit ${code}`));
  });
  return { child, ended, end: () => end };
}

const patienceMs = 60_000;

const lastWords = async (file: string) =>
  (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(-15).join('\n');

async function untilReady(
  name: string,
  { child, end }: Running,
  file: string,
  ready: (pid: number) => Promise<boolean>,
): Promise<void> {
  const began = Date.now();
  while (end() !== undefined || !(await ready(child.pid ?? 0).catch(() => false))) {
    if (end() !== undefined) throw new Error(`${name} ended while starting (${end()}):\n${await lastWords(file)}`);
    if (Date.now() - began > patienceMs) throw new Error(`${name} was not ready after 60 s:\n${await lastWords(file)}`);
    await sleep(50);
  }
}

type Surroundings = {
  /** The folder for the programs' output. */
  logs: string;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  /** Hears of every process. */
  started: (pid: number) => void;
  stopping: () => boolean;
};

/** Starts programs whose output goes to files; says so when one ends that nobody killed. */
export function createLauncher({ logs, env, log, started, stopping }: Surroundings): Launch {
  return async (name, program, args, { ready, env: more }) => {
    const file = join(logs, `${name}.log`);
    const killed = new WeakSet<Running>();
    const begin = async () => {
      if (stopping()) throw new Error(`${name} is not started: the test bed is being stopped`);
      const running = spawnInto(file, program, args, { ...env, ...more });
      started(running.child.pid ?? 0);
      await untilReady(name, running, file, ready);
      void running.ended.then(() => {
        if (!stopping() && !killed.has(running)) log(`${name} ended by itself (${running.end()}); its log: ${file}`);
      });
      return running;
    };
    let running = await begin();
    return {
      pid: () => running.child.pid ?? 0,
      kill: async () => {
        killed.add(running);
        running.child.ref();
        running.child.kill('SIGKILL');
        await running.ended;
      },
      start: async () => {
        running = await begin();
      },
      pause: () => void running.child.kill('SIGSTOP'),
      resume: () => void running.child.kill('SIGCONT'),
    };
  };
}
