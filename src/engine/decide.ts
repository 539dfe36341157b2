import { type Ballot, cast, type Outcome } from '../core/approval.ts';
import { fault } from '../core/errors.ts';
import type { Run, RunEvent } from '../core/run.ts';
import type { Engine } from './engine.ts';
import { wakeOrLeaveToSweeper } from './request.ts';

function decided(run: Run, outcome: Exclude<Outcome, { kind: 'refused' }>): Run {
  const { decision } = outcome;
  const next = { ...run, version: run.version + 1, updatedAt: decision.at, decisions: [...run.decisions, decision] };
  switch (outcome.kind) {
    case 'approved':
      return { ...next, state: 'running' };
    case 'rejected':
      return { ...next, state: 'rejected' };
    case 'counted':
      return next;
    default:
      return outcome satisfies never;
  }
}

/**
 * Takes one person's word on the plan that a run awaits approval of: one compare-and-set on the run's version.
 * However many clicks arrive, wherever, one verdict stands; the rest are refused with the reason.
 * @throws Fault UNKNOWN_RUN, STORE_DOWN
 */
export async function decide(
  engine: Engine,
  runId: string,
  ballot: Omit<Ballot, 'at'>,
): Promise<{ outcome: Outcome; run: Run }> {
  for (;;) {
    const run = await engine.store.read(runId);
    if (!run) throw fault('UNKNOWN_RUN', { id: runId });
    const at = engine.now();
    const outcome = cast(engine.settings(), run, { ...ballot, at });
    if (outcome.kind === 'refused') return { outcome, run };
    const next = decided(run, outcome);
    const events: RunEvent[] = [{ at, kind: 'decision', text: ballot.kind === 'approve' ? 'approved' : 'rejected' }];
    // A conflict means that somebody else's word came first: look again, and judge by what stands now.
    if ((await engine.store.commit({ run: next, events })) !== 'ok') continue;
    if (outcome.kind === 'approved') void wakeOrLeaveToSweeper(engine, runId);
    return { outcome, run: next };
  }
}
