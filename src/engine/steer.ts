import type { Actor } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import type { RunStore } from '../core/ports.ts';
import type { Run } from '../core/run.ts';
import { type SteerWish, steerText } from '../core/steer.ts';
import type { Engine } from './engine.ts';
import { wakeOrLeaveToSweeper } from './request.ts';
import { takeUp } from './resume.ts';

/** Says something to a run that is under way; some worker hears of it at once, also where the run was set aside. @throws Fault UNKNOWN_RUN, ALREADY_OVER */
export async function steer(engine: Engine, run: Run, actor: Actor, wish: SteerWish): Promise<Run> {
  const text = engine.redact(steerText(wish));
  const done = await engine.store.steer(run, { at: engine.now(), actor, wish }, text);
  if (done === 'unknown') throw fault('UNKNOWN_RUN', { id: run.id });
  if (done === 'over') throw fault('ALREADY_OVER', { id: run.id, state: run.state });
  await takeUp(engine, run.id, actor);
  void wakeOrLeaveToSweeper(engine, run.id);
  return run;
}

/** The store's runs as operations have them: a run that is steered is looked at at once. */
export function wakingRuns(store: RunStore, wake: Engine['wake']): Pick<RunStore, 'read' | 'recent' | 'steer'> {
  return {
    read: store.read,
    recent: store.recent,
    steer: async (...said) => {
      const [run, { actor }] = said;
      const done = await store.steer(...said);
      if (done !== 'ok' && done !== 'again') return done;
      // A person's word is what a run that was set aside waits for.
      await takeUp({ store, now: Date.now }, run.id, actor);
      // A call that gets lost costs half a second: the sweeper finds what is due.
      await wake(run.id).catch(() => {});
      return done;
    },
  };
}
