import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tethered } from './tether.ts';

export type ShipmateProcess = {
  url: string;
  pid: number;
  /** All that it has logged, as text. */
  log(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
};

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const readyMs = 30_000;

/** Starts Shipmate as a process of its own and waits until it is ready. Nothing of this process's environment reaches it but PATH. */
export async function startShipmate(env: Record<string, string>): Promise<ShipmateProcess> {
  const child: ChildProcess = spawn(...tethered(process.execPath, [main]), {
    env: { PATH: process.env.PATH ?? '', HOST: '127.0.0.1', PORT: '0', NODE_ENV: 'test', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const began = Date.now();
  while (!said.includes('"msg":"ready"')) {
    if (child.exitCode !== null) throw new Error(`Shipmate ended while starting:\n${said}`);
    if (Date.now() - began > readyMs) throw new Error(`Shipmate was not ready after ${readyMs / 1_000} s:\n${said}`);
    await sleep(20);
  }
  const url = /"address":"([^"]+)"/.exec(said)?.[1] ?? '';
  return {
    url,
    pid: child.pid ?? 0,
    log: () => said,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}
