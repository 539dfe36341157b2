import type { Lock } from '../core/lock.ts';
import type { Commit, Lease } from '../core/ports.ts';
import type { Cancel, Run, RunEvent } from '../core/run.ts';
import type { Engine } from './engine.ts';
import { keptMs } from './reads.ts';
import type { Steering } from './steering.ts';

/** Thrown where a worker finds that a run is no longer its own: it stops, and changes nothing more. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

/** A wait shorter than this holds its worker: parking would cost more. */
export const shortMs = 5_000;

/** Thrown where a run waits: the lap ends, and nobody is held until it is time, or somebody answers. */
export class Parked extends Error {
  override name = 'Parked';
}

/** Why a lap's signal aborts when somebody wants the run stopped. */
export class Cancelled extends Error {
  override name = 'Cancelled';
  readonly wish: Cancel;
  constructor(wish: Cancel) {
    super('somebody wants this run stopped');
    this.wish = wish;
  }
}

/**
 * One worker's turn at a run. Writes go out one after the other, each fenced by the lease:
 * under a lease that was lost nothing is written.
 */
export type Lap = {
  engine: Engine;
  signal: AbortSignal;
  run: () => Run;
  /** All locks, as they were when the lap began. */
  locks: readonly Lock[];
  steering: Steering;
  /** A change that is stored with the next save: for what may as well be found out again after a crash. */
  stage: (change: (run: Run) => Run, events: Omit<RunEvent, 'at'>[]) => void;
  /** Changes the record and says what happened. @throws LeaseLost */
  save: (change: (run: Run) => Run, events?: Omit<RunEvent, 'at'>[]) => Promise<Run>;
};

/** Whether a run has got past where it was: it is in another state, or a step more is done. That it was set aside is no progress. */
function isFurther(before: Run, { state, steps }: Run): boolean {
  if (state !== before.state) return state !== 'set-aside';
  return Object.entries(steps).some(([name, step]) => step.state === 'done' && before.steps[name]?.state !== 'done');
}

/** Begins a lap on a run under its lease. */
export function beginLap(
  engine: Engine,
  { run: first, epoch, locks }: Lease,
  signal: AbortSignal,
  steering: Steering,
): Lap {
  let run = first;
  let stored = first;
  let staged: RunEvent[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  const dated = (events: Omit<RunEvent, 'at'>[]) =>
    events.map((event) => ({ at: engine.now(), ...event, text: engine.redact(event.text) }));
  const write = async (change: (run: Run) => Run, events: Omit<RunEvent, 'at'>[]): Promise<Run> => {
    const next = { ...change(run), version: stored.version + 1, updatedAt: engine.now() };
    const commit: Commit = {
      run: next,
      events: [...staged, ...dated(events)],
      ...keptMs(engine.settings(), next),
      further: isFurther(stored, next),
    };
    if ((await engine.store.commit(commit, epoch)) !== 'ok') throw new LeaseLost(run.id);
    run = next;
    stored = next;
    staged = [];
    // Whoever waits for this part is told; should that get lost, it looks by itself after a while.
    if (run.partOf && events.some(({ kind }) => kind === 'step' || kind === 'state'))
      void engine.wake(run.partOf.id).catch(() => {});
    return run;
  };
  return {
    engine,
    signal,
    run: () => run,
    locks,
    steering,
    stage: (change, events) => {
      run = change(run);
      staged = [...staged, ...dated(events)];
    },
    save: (change, events = []) => {
      const written = queue.then(() => write(change, events));
      queue = written.catch(() => {});
      return written;
    },
  };
}
