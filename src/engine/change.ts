import { fault } from '../core/errors.ts';
import type { RunStore } from '../core/ports.ts';
import type { Run, RunEvent } from '../core/run.ts';

/** What a person's word makes of a run. */
export type Made = { run: Run; events: Omit<RunEvent, 'at'>[]; further?: boolean };

/**
 * Stores a change that a person makes to a run outside its laps: again and again until nobody else's came between.
 * @throws Fault UNKNOWN_RUN, and whatever `make` throws
 */
export async function change(
  { store, now }: { store: Pick<RunStore, 'read' | 'commit'>; now: () => number },
  runId: string,
  make: (run: Run, at: number) => Made,
): Promise<Run> {
  for (;;) {
    const run = await store.read(runId);
    if (!run) throw fault('UNKNOWN_RUN', { id: runId });
    const at = now();
    const { further = false, ...made } = make(run, at);
    const next = { ...made.run, version: run.version + 1, updatedAt: at };
    const events = made.events.map((event) => ({ at, ...event }));
    if ((await store.commit({ run: next, events, further })) === 'ok') return next;
  }
}
