import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type OtherBed = {
  id: string;
  dir: string;
  ports: number[];
  podIps: string[];
  process: ChildProcess;
};

/** Starts a bed in a process of its own, running `fixture` of this folder, which prints one JSON line when it is up. */
export async function startOtherBed(fixture: string): Promise<OtherBed> {
  const program = fileURLToPath(new URL(fixture, import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const up = (async () => {
    while (!said.includes('\n')) await once(child.stdout, 'data');
  })();
  const ended = once(child, 'exit').then(([code]) => {
    if (!said.includes('\n')) throw new Error(`${fixture} ended before it was up (${code})`);
  });
  await Promise.race([up, ended]);
  return { ...JSON.parse(said), process: child };
}

/** Sends a signal and waits until the process is gone. */
export async function end(bed: OtherBed, signal: NodeJS.Signals): Promise<void> {
  const gone = once(bed.process, 'exit');
  bed.process.kill(signal);
  await gone;
}
