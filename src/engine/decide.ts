import { type Ballot, cast, type Outcome } from '../core/approval.ts';
import { fault } from '../core/errors.ts';
import type { Run, RunEvent } from '../core/run.ts';
import type { Engine } from './engine.ts';
import { refused } from './refuse.ts';
import { wakeOrLeaveToSweeper } from './request.ts';

const words: Record<Ballot['kind'], string> = {
  approve: 'approved',
  reject: 'rejected',
  withdraw: 'approval withdrawn',
};

function decided(run: Run, outcome: Exclude<Outcome, { kind: 'refused' }>): Run {
  const { decision } = outcome;
  const next = { ...run, version: run.version + 1, updatedAt: decision.at, decisions: [...run.decisions, decision] };
  switch (outcome.kind) {
    case 'approved':
      return { ...next, state: 'running', wakeAt: undefined, counted: outcome.counted };
    case 'rejected':
      return { ...next, state: 'rejected' };
    case 'counted':
    case 'withdrawn':
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
  const why = ballot.reason === undefined ? {} : { reason: engine.redact(ballot.reason) };
  for (;;) {
    const [run, delegations] = await Promise.all([engine.store.read(runId), engine.delegations.all()]);
    if (!run) throw fault('UNKNOWN_RUN', { id: runId });
    const at = engine.now();
    const outcome = cast(engine.settings(), run, { ...ballot, ...why, at }, delegations);
    if (outcome.kind === 'refused') {
      refused(engine, run, { actor: ballot.actor, text: `${ballot.kind} refused: ${outcome.reason}` });
      return { outcome, run };
    }
    const next = decided(run, outcome);
    const events: RunEvent[] = [{ at, kind: 'decision', text: words[ballot.kind], actor: ballot.actor, ...why }];
    // Approved, it is past where workers may have been lost with it: they count no longer against what comes now.
    const further = next.state !== run.state;
    // A conflict means that somebody else's word came first: look again, and judge by what stands now.
    if ((await engine.store.commit({ run: next, events, further })) !== 'ok') continue;
    if (outcome.kind === 'approved') void wakeOrLeaveToSweeper(engine, runId);
    return { outcome, run: next };
  }
}
