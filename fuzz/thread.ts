import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { targets } from './targets.ts';

/** A turn of one target, and how it went. */
export type Turn = { name: string; seed: number; ms: number; path?: string };
export type Played = { runs: number; finding?: { input: string; problem: string; path: string } };

/** How many inputs this turn has had: whoever ends a thread that hangs reads from it at which one it did. */
const runs = new Int32Array(workerData.runs);

async function play({ name, seed, ms, path }: Turn): Promise<Played> {
  const target = targets.find((each) => each.name === name);
  if (!target) throw new Error(`there is no target ${name}`);
  Atomics.store(runs, 0, 0);
  const property = target.property();
  const counted: typeof property = Object.assign(Object.create(property), {
    run: async (value: [unknown]) => {
      Atomics.add(runs, 0, 1);
      return await property.run(value);
    },
  });
  const result = await fc.check(counted, {
    seed,
    ...(path !== undefined && { path }),
    numRuns: 1_000_000_000,
    interruptAfterTimeLimit: ms,
    markInterruptAsFailure: false,
  });
  if (!result.failed) return { runs: result.numRuns };
  const problem = result.errorInstance instanceof Error ? result.errorInstance.stack : String(result.errorInstance);
  return {
    runs: result.numRuns,
    finding: {
      input: fc.stringify(result.counterexample?.[0]),
      problem: problem ?? '',
      path: result.counterexamplePath ?? '',
    },
  };
}

parentPort?.on('message', (turn: Turn) => void play(turn).then((played) => parentPort?.postMessage(played)));
