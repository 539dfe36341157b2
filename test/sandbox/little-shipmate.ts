import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KeptAlive, keepAlive, type Patience } from '../../sandbox/kept-alive.ts';
import { freePort, untilFree } from '../../testbed/ports.ts';
import { startShipmate } from '../../testbed/shipmate.ts';

const main = fileURLToPath(new URL('little-shipmate.fixture.ts', import.meta.url));

export type Start = { pid: number; at: number };

export type LittleShipmate = {
  kept: Promise<KeptAlive>;
  /** What was said in the terminal. */
  lines: string[];
  /** Every process that was started so far. */
  starts(): Promise<Start[]>;
  end(): Promise<void>;
};

/** A tiny program that is kept alive as the sandbox keeps Shipmate; `plan` says what each of its starts comes to. */
export async function startLittle(plan: string, patience?: Patience): Promise<LittleShipmate> {
  const { port } = await freePort();
  const file = join(tmpdir(), `little-shipmate-${randomBytes(4).toString('hex')}`);
  const env = { PORT: String(port), PLAN: plan, STARTS: file };
  const lines: string[] = [];
  const kept = keepAlive({
    start: async (signal) => {
      await untilFree(port, 5_000, signal);
      return startShipmate(env, { main, signal });
    },
    log: (line) => lines.push(line),
    ...(patience && { patience }),
  });
  const starts = async () =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
      .map(([pid = 0, at = 0]) => ({ pid, at }));
  const end = async () => {
    // It may be that it never started.
    await kept.then((alive) => alive.stop()).catch(() => {});
    await rm(file, { force: true });
  };
  return { kept, lines, starts, end };
}
