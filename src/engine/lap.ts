import type { Commit } from '../core/ports.ts';
import type { Run, RunEvent } from '../core/run.ts';
import type { Engine } from './engine.ts';

/** Thrown where a worker finds that a run is no longer its own: it stops, and changes nothing more. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

/**
 * One worker's turn at a run. Writes go out one after the other, each fenced by the lease:
 * under a lease that was lost nothing is written.
 */
export type Lap = {
  engine: Engine;
  signal: AbortSignal;
  run: () => Run;
  /** Changes the record and says what happened. @throws LeaseLost */
  save: (change: (run: Run) => Run, events?: Omit<RunEvent, 'at'>[]) => Promise<Run>;
};

/** Begins a lap on `run` under the lease's `epoch`. */
export function beginLap(engine: Engine, first: Run, epoch: number, signal: AbortSignal): Lap {
  let run = first;
  let queue: Promise<unknown> = Promise.resolve();
  const write = async (change: (run: Run) => Run, events: Omit<RunEvent, 'at'>[]): Promise<Run> => {
    const at = engine.now();
    const next = { ...change(run), version: run.version + 1, updatedAt: at };
    const commit: Commit = { run: next, events: events.map((event) => ({ at, ...event })) };
    if ((await engine.store.commit(commit, epoch)) !== 'ok') throw new LeaseLost(run.id);
    run = next;
    return run;
  };
  return {
    engine,
    signal,
    run: () => run,
    save: (change, events = []) => {
      const written = queue.then(() => write(change, events));
      queue = written.catch(() => {});
      return written;
    },
  };
}
