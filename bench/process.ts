import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type BenchProcess = { address: string; stop(): Promise<void> };

/** Starts a floor program and waits for the line `ready ADDRESS`. */
export async function startFloor(file: URL, env: Record<string, string>): Promise<BenchProcess> {
  const child: ChildProcess = spawn(process.execPath, [file.pathname], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk);
    if (said.includes('\n')) break;
  }
  const address = /^ready (\S+)/.exec(said)?.[1];
  if (address === undefined) throw new Error(`${file.pathname} did not start: ${said}`);
  return {
    address,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
