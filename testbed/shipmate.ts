import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tethered } from './tether.ts';

/** How a process ended: by itself, or by a signal. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null };

export type ShipmateProcess = {
  url: string;
  pid: number;
  /** All that it has logged, as text. */
  log(): string;
  /** Answers when it is over, however that came. */
  ended: Promise<Ending>;
  kill(signal: NodeJS.Signals): Promise<void>;
};

export type StartOptions = {
  /** Another program in Shipmate's place: a test's. */
  main?: string;
  /** Gives the start up: what was started is gone when it rejects. */
  signal?: AbortSignal;
};

const shipmate = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const readyMs = 30_000;
/** What it said last may still be on its way when it is gone; who inherited its output may hold that for ever. */
const lastWordsMs = 500;

export const howEnded = ({ code, signal }: Ending): string =>
  signal === null ? `ended (exit code ${code})` : `was killed (${signal})`;

const endOf = (child: ChildProcess): Promise<Ending> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: child.exitCode, signal: null }));
  });

/**
 * Starts Shipmate as a process of its own and waits until it is ready. Nothing of this process's environment reaches it but PATH.
 * @throws Error with all that it said, where it ends or is given up before it is ready; nothing of it is left then
 */
export async function startShipmate(
  env: Record<string, string>,
  { main = shipmate, signal: givenUp }: StartOptions = {},
): Promise<ShipmateProcess> {
  givenUp?.throwIfAborted();
  const child: ChildProcess = spawn(...tethered(process.execPath, [main]), {
    env: { PATH: process.env.PATH ?? '', HOST: '127.0.0.1', PORT: '0', NODE_ENV: 'test', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const silent = new Promise((resolve) => child.once('close', resolve));
  const ended = endOf(child);
  let ending: Ending | undefined;
  void ended.then((how) => {
    ending = how;
  });
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  const began = Date.now();
  while (!said.includes('"msg":"ready"')) {
    if (ending) {
      await Promise.race([silent, sleep(lastWordsMs)]);
      throw new Error(`Shipmate ${howEnded(ending)} while starting:\n${said}`);
    }
    const late = Date.now() - began > readyMs;
    if (late || givenUp?.aborted) {
      await kill('SIGKILL');
      throw new Error(`Shipmate was ${late ? `not ready after ${readyMs / 1_000} s` : 'given up'}:\n${said}`);
    }
    await sleep(20);
  }
  const url = /"address":"([^"]+)"/.exec(said)?.[1] ?? '';
  return { url, pid: child.pid ?? 0, log: () => said, ended, kill };
}
