import { stillApproved } from '../core/approval.ts';
import { Fault, fault, toFault } from '../core/errors.ts';
import { lostRuns } from '../core/lost-run.ts';
import type { Operation } from '../core/operation.ts';
import { changesNothing } from '../core/plan.ts';
import { redactDeep } from '../core/redact.ts';
import { endOf } from '../core/report.ts';
import { type Cancel, isOver, mostLost, type Run } from '../core/run.ts';
import { callApprovers, firstCall } from './calls.ts';
import type { Engine } from './engine.ts';
import { beginLap, Cancelled, type Lap, LeaseLost, Parked } from './lap.ts';
import type { Leases } from './leases.ts';
import { nearApp } from './near-app.ts';
import { leaveTurns, takeTurn, turnsOf } from './order.ts';
import { stopParts } from './parts.ts';
import { checkPeople } from './people.ts';
import { checkPart, planned, runContext } from './planning.ts';
import { boundedAnswer } from './reads.ts';
import { waitForRecord } from './unreadable.ts';

async function planLap(lap: Lap, operation: Operation): Promise<void> {
  const { plan, verdict, where } = await planned(lap, operation);
  const { id, partOf, decisions } = lap.run();
  // Turns are taken in one order; where the plan needs others than it did, those that it has are given back first.
  const [had, needs] = [turnsOf(lap.run()), turnsOf({ ...lap.run(), ...where, plan })];
  if (lap.run().plan && had.join() !== needs.join()) await lap.engine.store.leaveTurns(id, had);
  checkPart(lap.run(), plan);
  const events = [{ kind: 'plan' as const, text: plan.summary }];
  // What was asked for may stand for another place by now: the run is at that of its plan.
  const found = { plan, verdict, ...where };
  const listed = plan.checklist && { checklist: plan.checklist };
  if (changesNothing(plan)) {
    // Whoever is under way there changes what this was compared with: only in its own turn is there nothing to do.
    if (!(await takeTurn(lap, operation))) return;
    await lap.save((run) => ({ ...run, ...found, state: 'finished', report: { kind: 'unchanged' } }), events);
  } else if (verdict.kind === 'needs-approval' && !partOf?.approved) {
    const now = lap.engine.now();
    const expiresAt = now + verdict.expireMinutes * 60_000;
    const replanned = decisions.some(({ digest }) => digest !== plan.digest);
    const wakeAt = firstCall(verdict, now);
    await lap.save(
      (run) => ({ ...run, ...found, ...listed, expiresAt, wakeAt, called: [], replanned, state: 'awaiting' }),
      events,
    );
  } else {
    lap.stage((run) => ({ ...run, ...found, ...listed, state: 'running' }), events);
  }
}

async function askAnew(lap: Lap, why: string): Promise<false> {
  await lap.save((run) => ({ ...run, state: 'requested', counted: undefined }), [{ kind: 'plan', text: why }]);
  // It is planned anew at once; turns that it kept would be taken in another order than those of all others.
  await leaveTurns(lap);
  return false;
}

/**
 * The approval is of a digest: just before the first change the plan is made again, and another digest is another question.
 * So are those who approved looked at again: whoever may approve it no longer has not approved it.
 */
async function stillHolds(lap: Lap, operation: Operation): Promise<boolean> {
  const { decisions, startedAt, plan } = lap.run();
  if (decisions.length === 0 || startedAt !== undefined) return true;
  const [again, delegations] = await Promise.all([planned(lap, operation), lap.engine.delegations.all()]);
  if (again.plan.digest !== plan?.digest) return await askAnew(lap, 'the plan changed since it was approved');
  const counted = stillApproved(lap.engine.settings(), lap.run(), { at: lap.engine.now(), delegations });
  if (!counted) return await askAnew(lap, 'somebody who approved may do so no longer: it needs an approval again');
  if (counted.length !== lap.run().counted?.length) await lap.save((run) => ({ ...run, counted }));
  return true;
}

/**
 * What steps returned is for whoever takes the run up, and nobody does any more once it has a report. It may be a long text, and
 * the report has it too.
 */
const withoutResults = (steps: Run['steps']): Run['steps'] =>
  Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, { ...step, result: undefined }]));

async function runLap(lap: Lap, operation: Operation): Promise<void> {
  // What waits for Slack asks it first: it takes no turn, and reads nothing of the cluster, only to wait again.
  if (lap.run().unidentified) await checkPeople(lap);
  if (!(await takeTurn(lap, operation)) || !(await stillHolds(lap, operation))) return;
  const { id, input, plan, startedAt } = lap.run();
  if (!plan) throw fault('INTERNAL', { problem: 'a run without a plan', run: id });
  if (startedAt === undefined) await checkPeople(lap);
  if (startedAt === undefined) lap.stage((run) => ({ ...run, startedAt: lap.engine.now() }), []);
  const found = await operation.run(runContext(lap, operation, plan), input);
  const answer = boundedAnswer(lap.engine.settings().reads, lap.run(), found);
  const report = await redactDeep(lap.engine.redact, answer);
  const lost = lostRuns(report);
  if (lost.length > 0) lap.engine.log.error({ runId: id, lost }, 'the store lacks runs that changed the cluster');
  await lap.save(
    (run) => ({ ...run, state: endOf(report), report, steps: withoutResults(run.steps) }),
    [{ kind: 'state', text: endOf(report) }],
  );
}

/** Its turn has come: what it would change is found out anew, since others were at work meanwhile. */
async function queuedLap(lap: Lap, operation: Operation): Promise<boolean> {
  if (!(await takeTurn(lap, operation))) return false;
  if (lap.run().decisions.length > 0) lap.stage((run) => ({ ...run, state: 'running' }), []);
  else await planLap(lap, operation);
  return lap.run().state === 'running';
}

/** @returns whether there is more to do at once */
async function turn(lap: Lap): Promise<boolean> {
  const run = lap.run();
  const operation = lap.engine.catalogue.get(run.operation);
  if (!operation) throw fault('OPERATION_GONE', { name: run.operation });
  switch (run.state) {
    case 'requested':
      await checkPeople(lap);
      await planLap(lap, operation);
      return lap.run().state === 'running';
    case 'queued':
      return await queuedLap(lap, operation);
    case 'running':
      await runLap(lap, operation);
      return lap.run().state === 'requested';
    case 'awaiting':
      await callApprovers(lap);
      return false;
    default:
      return false;
  }
}

const endStates: Record<string, Run['state']> = {
  POLICY_DENIED: 'denied',
  UNCOVERED: 'denied',
  NEVER_UNAPPROVED: 'denied',
  NO_LONGER_MEMBER: 'denied',
  POD_SECURITY: 'denied',
  LOCKED: 'denied',
  FROZEN: 'denied',
  TOO_MANY_CHANGES: 'denied',
  STEP_TIMED_OUT: 'timed-out',
};

async function failRun(lap: Lap, thrown: unknown): Promise<void> {
  const problem = toFault(thrown, lap.run().id);
  if (!(thrown instanceof Fault))
    lap.engine.log.error({ runId: lap.run().id, problem: thrown }, 'a run met an unexpected fault');
  const { code } = problem;
  const near = await nearApp(lap, problem);
  const [message, hint] = [lap.engine.redact(problem.message + near), lap.engine.redact(problem.hint)];
  const state = endStates[code] ?? 'failed';
  const text = `${state}: ${message}`;
  await lap.save((run) => ({ ...run, state, fault: { code, message, hint } }), [{ kind: 'state', text }]);
}

async function stopRun(lap: Lap, cancelled: Cancel): Promise<void> {
  const { actor } = cancelled;
  await stopParts(lap, cancelled);
  await lap.save((run) => ({ ...run, state: 'cancelled', cancelled }), [{ kind: 'state', text: 'cancelled', actor }]);
}

/** Whatever it is that it does, no third worker does it until a person says so. */
async function setAside(lap: Lap, workers: number): Promise<void> {
  const { state: from, checklist, steps, id } = lap.run();
  if (from !== 'requested' && from !== 'awaiting' && from !== 'queued' && from !== 'running') return;
  const step = checklist.findLast((name) => steps[name]?.state === 'started');
  const at = step === undefined ? '' : `, in the step “${step}”`;
  const text = `set aside: ${workers} workers were lost while it was under way${at}`;
  lap.engine.log.error({ runId: id, workers, step }, 'a run was set aside');
  const told = { at: lap.engine.now(), from, workers };
  await lap.save((run) => ({ ...run, state: 'set-aside', setAside: told }), [{ kind: 'state', text }]);
}

/** What a lap that ended early leaves behind. */
async function endLap(lap: Lap, thrown: unknown): Promise<void> {
  const { engine, signal } = lap;
  const runId = lap.run().id;
  if (thrown instanceof Parked) return;
  if (signal.reason instanceof Cancelled && !(thrown instanceof LeaseLost))
    return await stopRun(lap, signal.reason.wish);
  if (thrown instanceof LeaseLost || signal.aborted) {
    engine.log.info({ runId }, 'let go of a run; another worker goes on with it');
    return;
  }
  // With the store away nothing can be written; the lease runs out and the sweeper finds the run.
  if (thrown instanceof Fault && thrown.code === 'STORE_DOWN') throw thrown;
  if (thrown instanceof Fault && thrown.code === 'RECORD_UNREADABLE') {
    await waitForRecord(lap, thrown);
    throw thrown;
  }
  await failRun(lap, thrown);
}

/**
 * Takes a run as far as it goes now: to its end, or to where it waits. Calling it twice, late, or from many workers
 * is harmless: one holds the lease, and what is done is not done again.
 */
export async function advance(engine: Engine, leases: Leases, runId: string): Promise<void> {
  await leases.hold(runId, async (lease, signal, steering) => {
    const { run, cancel, lost } = lease;
    if (isOver(run.state)) return 'open';
    const lap = beginLap(engine, lease, signal, steering);
    try {
      if (cancel) await stopRun(lap, cancel);
      else if (lost >= mostLost) await setAside(lap, lost);
      else while (await turn(lap));
    } catch (thrown) {
      await endLap(lap, thrown);
    }
    await leaveTurns(lap);
    return isOver(lap.run().state) ? 'over' : 'open';
  });
}
