import { Fault, fault, toFault } from '../core/errors.ts';
import type { Operation, PlanContext } from '../core/operation.ts';
import { bind, changesNothing, type Plan } from '../core/plan.ts';
import type { Verdict } from '../core/policy.ts';
import type { Clients } from '../core/ports.ts';
import { endOf } from '../core/report.ts';
import { isOver, type Run } from '../core/run.ts';
import { authorise } from './authorise.ts';
import type { Engine } from './engine.ts';
import { beginLap, type Lap, LeaseLost } from './lap.ts';
import type { Leases } from './leases.ts';
import { doStep } from './steps.ts';

function planContext(lap: Lap): PlanContext<keyof Clients> {
  const { place } = lap.run();
  return {
    on: lap.engine.clients,
    settings: lap.engine.settings(),
    signal: lap.signal,
    get place() {
      if (!place) throw fault('INTERNAL', { problem: 'the operation names no app and environment', run: lap.run().id });
      return place;
    },
  };
}

/** Plans by reading and dry runs, and asks the policy of today: it may have changed since the request. */
async function planned(lap: Lap, operation: Operation): Promise<{ plan: Plan; verdict: Verdict }> {
  const { actor, input } = lap.run();
  const { target, place, verdict } = authorise(lap.engine.settings(), actor, operation, input);
  const draft = await operation.plan(planContext(lap), input);
  return {
    verdict,
    plan: bind(draft, { operation: operation.name, target: place ?? target, policy: verdict, input }),
  };
}

async function planLap(lap: Lap, operation: Operation): Promise<void> {
  const { plan, verdict } = await planned(lap, operation);
  const events = [{ kind: 'plan' as const, text: plan.summary }];
  if (changesNothing(plan)) {
    await lap.save((run) => ({ ...run, plan, verdict, state: 'finished', report: { kind: 'unchanged' } }), events);
  } else if (verdict.kind === 'needs-approval') {
    const expiresAt = lap.engine.now() + verdict.expireMinutes * 60_000;
    const replanned = lap.run().plan !== undefined;
    await lap.save((run) => ({ ...run, plan, verdict, expiresAt, replanned, state: 'awaiting' }), events);
  } else {
    lap.stage((run) => ({ ...run, plan, verdict, state: 'running' }), events);
  }
}

/** The approval is of a digest: just before the first change the plan is made again, and another digest is another question. */
async function stillHolds(lap: Lap, operation: Operation): Promise<boolean> {
  const { decisions, steps, plan } = lap.run();
  if (decisions.length === 0 || Object.keys(steps).length > 0) return true;
  const again = await planned(lap, operation);
  if (again.plan.digest === plan?.digest) return true;
  await lap.save(
    (run) => ({ ...run, state: 'requested' }),
    [{ kind: 'plan', text: 'the plan changed since it was approved' }],
  );
  return false;
}

async function runLap(lap: Lap, operation: Operation): Promise<void> {
  if (!(await stillHolds(lap, operation))) return;
  const { id, input, plan } = lap.run();
  if (!plan) throw fault('INTERNAL', { problem: 'a run without a plan', run: id });
  const context = planContext(lap);
  const report = await operation.run(
    {
      on: context.on,
      settings: context.settings,
      signal: context.signal,
      get place() {
        return context.place;
      },
      id,
      plan,
      now: lap.engine.now,
      step: (name, act) => doStep(lap, name, act),
    },
    input,
  );
  await lap.save((run) => ({ ...run, state: endOf(report), report }), [{ kind: 'state', text: endOf(report) }]);
}

/** @returns whether there is more to do at once */
async function turn(lap: Lap): Promise<boolean> {
  const run = lap.run();
  const operation = lap.engine.catalogue.get(run.operation);
  if (!operation) throw fault('OPERATION_GONE', { name: run.operation });
  switch (run.state) {
    case 'requested':
      await planLap(lap, operation);
      return lap.run().state === 'running';
    case 'running':
      await runLap(lap, operation);
      return lap.run().state === 'requested';
    case 'awaiting':
      if (run.expiresAt !== undefined && lap.engine.now() >= run.expiresAt)
        await lap.save((stale) => ({ ...stale, state: 'expired' }), [{ kind: 'state', text: 'expired' }]);
      return false;
    default:
      return false;
  }
}

async function failRun(lap: Lap, thrown: unknown): Promise<void> {
  const problem = toFault(thrown, lap.run().id);
  if (!(thrown instanceof Fault))
    lap.engine.log.error({ runId: lap.run().id, problem: thrown }, 'a run met an unexpected fault');
  const state: Run['state'] = problem.code === 'POLICY_DENIED' ? 'denied' : 'failed';
  const { code, message, hint } = problem;
  await lap.save((run) => ({ ...run, state, fault: { code, message, hint } }), [{ kind: 'state', text: state }]);
}

/**
 * Takes a run as far as it goes now: to its end, or to where it waits. Calling it twice, late, or from many workers
 * is harmless: one holds the lease, and what is done is not done again.
 */
export async function advance(engine: Engine, leases: Leases, runId: string): Promise<void> {
  await leases.hold(runId, async ({ epoch, run }, signal) => {
    if (isOver(run.state)) return;
    const lap = beginLap(engine, run, epoch, signal);
    try {
      while (await turn(lap));
    } catch (thrown) {
      if (thrown instanceof LeaseLost || signal.aborted) {
        engine.log.info({ runId }, 'let go of a run; another worker goes on with it');
        return;
      }
      // With the store away nothing can be written; the lease runs out and the sweeper finds the run.
      if (thrown instanceof Fault && thrown.code === 'STORE_DOWN') throw thrown;
      await failRun(lap, thrown);
    }
  });
}
