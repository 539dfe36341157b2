import type { Actor } from '../core/actor.ts';
import { Fault, fault } from '../core/errors.ts';
import type { RunStore } from '../core/ports.ts';
import type { Run } from '../core/run.ts';
import { change, type Made } from './change.ts';
import type { Engine } from './engine.ts';
import { mayStop } from './may-stop.ts';
import { refused } from './refuse.ts';
import { wakeOrLeaveToSweeper } from './request.ts';

/** The time for which nobody worked on it counts neither for the steps that were begun nor for the run. */
function restored(run: Run, at: number, actor: Actor): Made {
  const { setAside } = run;
  if (run.state !== 'set-aside' || !setAside) throw fault('NOT_SET_ASIDE', { id: run.id, state: run.state });
  const idle = Math.max(0, at - setAside.at);
  const steps = Object.entries(run.steps).map(([name, step]) => [
    name,
    step.state === 'started' ? { ...step, startedAt: step.startedAt + idle } : step,
  ]);
  return {
    run: {
      ...run,
      state: setAside.from,
      setAside: { ...setAside, resumed: { actor, at } },
      steps: Object.fromEntries(steps),
      ...(run.startedAt !== undefined && { startedAt: run.startedAt + idle }),
    },
    events: [{ kind: 'decision', text: 'taken up again', actor }],
    further: true,
  };
}

/** Takes a run up again to which a person has said something; where it is not set aside there is nothing to do. */
export async function takeUp(
  deps: { store: Pick<RunStore, 'read' | 'commit'>; now: () => number },
  runId: string,
  actor: Actor,
): Promise<void> {
  await change(deps, runId, (run, at) => restored(run, at, actor)).catch((thrown: unknown) => {
    if (!(thrown instanceof Fault && thrown.code === 'NOT_SET_ASIDE')) throw thrown;
  });
}

/**
 * Takes up a run that was set aside, where it was; the workers that were lost with it are forgotten. Whoever may stop it may do so.
 * @throws Fault UNKNOWN_RUN, NOT_SET_ASIDE, NOT_YOURS_TO_RESUME
 */
export async function resume(engine: Engine, runId: string, actor: Actor): Promise<Run> {
  const run = await change(engine, runId, (found, at) => {
    const made = restored(found, at, actor);
    if (mayStop(engine, found, actor)) return made;
    refused(engine, found, { actor, text: 'resume refused: not permitted' });
    throw fault('NOT_YOURS_TO_RESUME', { id: runId });
  });
  void wakeOrLeaveToSweeper(engine, runId);
  return run;
}
