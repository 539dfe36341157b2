import type { Lease, Log, RunStore } from '../core/ports.ts';
import { Cancelled } from './lap.ts';
import { createSteering, type Steering } from './steering.ts';
import { createTrials } from './trials.ts';

/** A lease lasts this long unless it is prolonged: how soon the runs of a killed worker are taken up elsewhere. */
export const leaseMs = 3_000;
const renewMs = 1_000;

/** Answers with `over` where the run has ended: its lease ended with it. */
type Work = (lease: Lease, signal: AbortSignal, steering: Steering) => Promise<'over' | 'open'>;

export type Leases = {
  /**
   * Calls `work` while holding the run; does nothing where another holds it. `signal` aborts when the lease is lost, on
   * `stop`, and, with `Cancelled` as its reason, when somebody wants the run stopped.
   */
  hold(runId: string, work: Work): Promise<void>;
  /** Hands every run over: aborts its work, waits for it to let go, and stops prolonging. */
  stop(): Promise<void>;
};

type Held = { epoch: number; abort: AbortController; steering: Steering; ended: Promise<void> };

/** The leases of one worker process, prolonged together. */
export function createLeases(store: RunStore, owner: string, log: Log): Leases {
  const held = new Map<string, Held>();
  const renewAll = async () => {
    const list = [...held].map(([id, { epoch }]) => ({ id, epoch }));
    if (list.length === 0) return;
    const { lost, cancelled, steered } = await store.renew(list, leaseMs);
    for (const id of lost) held.get(id)?.abort.abort();
    for (const { id, cancel } of cancelled) held.get(id)?.abort.abort(new Cancelled(cancel));
    for (const { id, count } of steered) held.get(id)?.steering.reached(count);
  };
  /** Those that the store could not be told of: unless it hears of them, this worker counts as lost with them. */
  const owed = new Map<string, number>();
  const release = async (runId: string, epoch: number) => {
    owed.set(runId, epoch);
    await store.release(runId, epoch);
    owed.delete(runId);
  };
  const keep = async () => {
    await renewAll();
    for (const [id, epoch] of owed) await release(id, epoch);
  };
  const timer = setInterval(() => {
    keep().catch((problem: unknown) => log.warn({ problem }, 'leases not prolonged'));
  }, renewMs);

  const take = async (runId: string, lease: Lease, work: Work) => {
    const abort = new AbortController();
    const steering = createSteering();
    const letGo = async () => {
      await release(runId, lease.epoch).catch((problem: unknown) => log.warn({ runId, problem }, 'lease not released'));
    };
    const working = async () => {
      let end: Awaited<ReturnType<Work>> = 'open';
      try {
        end = await work(lease, abort.signal, steering);
      } finally {
        held.delete(runId);
        if (end === 'open') await letGo();
      }
    };
    const ended = working();
    held.set(runId, { epoch: lease.epoch, abort, steering, ended: ended.catch(() => {}) });
    await ended;
  };
  const tryOut = async (runId: string, work: Work) => {
    if (held.has(runId)) return undefined;
    const lease = await store.lease(runId, owner, leaseMs);
    return lease && lease !== 'suspect' ? { working: take(runId, lease, work) } : undefined;
  };
  const trials = createTrials(tryOut, async (runId) => {
    await store
      .acquit(runId, owner)
      .catch((problem: unknown) => log.warn({ runId, problem }, 'the end of a trial was not noted'));
  });
  return {
    hold: async (runId, work) => {
      // Poked while it is under way here: somebody may have said something to it.
      if (held.has(runId)) return await renewAll();
      const lease = await store.lease(runId, owner, leaseMs, { suspects: false });
      if (lease === 'suspect') return await trials.take(runId, work);
      if (lease) await take(runId, lease, work);
    },
    stop: async () => {
      trials.stop();
      for (const { abort } of held.values()) abort.abort();
      await Promise.all([...held.values()].map(({ ended }) => ended));
      clearInterval(timer);
    },
  };
}
