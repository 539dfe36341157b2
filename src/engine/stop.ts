import { type Actor, samePerson } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import { judge } from '../core/policy.ts';
import { isOver, type Run } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import type { Engine } from './engine.ts';
import { refused } from './refuse.ts';
import { wakeOrLeaveToSweeper } from './request.ts';
import { steer } from './steer.ts';

/** Whoever asked for a run may stop it, and so may everybody who may ask for the same. */
export function mayStop(settings: Settings, run: Run, actor: Actor): boolean {
  if (samePerson(settings, run.actor, actor)) return true;
  const { operation, place, effect = 'change', input } = run;
  const app = place?.app ?? (typeof input.app === 'string' ? input.app : undefined);
  return judge(settings, { actor, operation, effect, app, env: place?.env }).kind !== 'deny';
}

/**
 * Stops a run: one that waits is over at once, one under way at its next breath, at most a second later.
 * What it changed so far stays; its message offers the way back. One that can be steered (a canary) backs out instead.
 * @throws Fault UNKNOWN_RUN, NOT_YOURS_TO_STOP, ALREADY_OVER
 */
export async function stop(engine: Engine, runId: string, wish: { actor: Actor; reason?: string }): Promise<Run> {
  const run = await engine.store.read(runId);
  if (!run) throw fault('UNKNOWN_RUN', { id: runId });
  if (!mayStop(engine.settings(), run, wish.actor)) {
    refused(engine, run, { actor: wish.actor, text: 'stop refused: not permitted' });
    throw fault('NOT_YOURS_TO_STOP', { id: runId });
  }
  const why = wish.reason === undefined ? {} : { reason: engine.redact(wish.reason) };
  // What can be steered has changed the place so that it must not be left like that: it is told to back out.
  const steered = run.plan !== undefined && engine.catalogue.get(run.operation)?.steered?.(run.plan);
  if (steered && run.state === 'running' && Object.keys(run.steps).length > 0)
    return await steer(engine, run, wish.actor, { kind: 'abort', ...why });
  const cancel = { actor: wish.actor, ...why, at: engine.now() };
  const done = isOver(run.state) ? 'over' : await engine.store.cancel(run, cancel);
  if (done === 'over' || done === 'unknown') throw fault('ALREADY_OVER', { id: runId, state: run.state });
  void wakeOrLeaveToSweeper(engine, runId);
  return run;
}
