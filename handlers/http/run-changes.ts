import { setTimeout as sleep } from 'node:timers/promises';
import type { NoticeStore } from '../../src/core/notices.ts';
import type { Log } from '../../src/core/ports.ts';
import { either } from '../../src/core/within.ts';

/** A word that a run changed may get lost; so the run is looked at this often in any case. */
const everyMs = 1_000;

export type RunChanges = {
  /** Yields at once, then whenever the run may have changed, whoever changed it; ends with the signal. */
  of(runId: string, signal: AbortSignal): AsyncGenerator<void>;
  close(): Promise<void>;
};

/** One subscription to the store's changes, shared by all who wait for runs in this process. */
export function createRunChanges(notices: Pick<NoticeStore, 'watch'>, log: Log): RunChanges {
  const waiting = new Map<string, Set<() => void>>();
  const subscription = notices.watch(({ kind, id }) => {
    if (kind === 'run') for (const wake of waiting.get(id) ?? []) wake();
  });
  subscription.catch((problem: unknown) => log.warn({ problem }, 'changes are not watched; looking every second'));

  const join = (runId: string, wake: () => void) => {
    const wakes = waiting.get(runId) ?? new Set();
    waiting.set(runId, wakes.add(wake));
    return () => {
      wakes.delete(wake);
      if (wakes.size === 0) waiting.delete(runId);
    };
  };
  return {
    of: async function* (runId, signal) {
      let pause = new AbortController();
      const leave = join(runId, () => pause.abort());
      try {
        while (!signal.aborted) {
          pause = new AbortController();
          yield;
          await sleep(everyMs, undefined, { signal: either(signal, pause.signal) }).catch(() => {});
        }
      } finally {
        leave();
      }
    },
    close: async () => {
      // With the store away the subscription may never come about; closing does not wait for it.
      const stopped = subscription.then((stop) => stop()).catch(() => {});
      await Promise.race([stopped, sleep(everyMs, undefined, { ref: false })]);
    },
  };
}
