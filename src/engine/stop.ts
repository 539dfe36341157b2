import { type Actor, samePerson } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import { mayAsk } from '../core/reading.ts';
import { isOver, type Run } from '../core/run.ts';
import type { Engine } from './engine.ts';
import { refused } from './refuse.ts';
import { wakeOrLeaveToSweeper } from './request.ts';
import { steer } from './steer.ts';

/** Whoever asked for a run may stop it, and so may everybody who may ask for the same. */
export function mayStop(
  { settings, catalogue }: Pick<Engine, 'settings' | 'catalogue'>,
  run: Run,
  actor: Actor,
): boolean {
  const terms = { settings: settings(), catalogue };
  return samePerson(terms.settings, run.actor, actor) || mayAsk(terms, run, actor);
}

/**
 * Stops a run, whoever it is that wants it. One that can be steered has changed its place so that it must not be left like
 * that: it is told to back out.
 * @throws Fault ALREADY_OVER
 */
export async function halt(
  engine: Engine,
  run: Run,
  { actor, reason }: { actor: Actor; reason?: string },
): Promise<Run> {
  const why = reason === undefined ? {} : { reason: engine.redact(reason) };
  const steered = run.plan !== undefined && engine.catalogue.get(run.operation)?.steered?.(run.plan);
  if (steered && run.state === 'running' && run.startedAt !== undefined)
    return await steer(engine, run, actor, { kind: 'abort', ...why });
  const cancel = { actor, ...why, at: engine.now() };
  const done = isOver(run.state) ? 'over' : await engine.store.cancel(run, cancel);
  if (done === 'over' || done === 'unknown') throw fault('ALREADY_OVER', { id: run.id, state: run.state });
  void wakeOrLeaveToSweeper(engine, run.id);
  return run;
}

/**
 * Stops a run: one that waits is over at once, one under way at its next breath, at most a second later.
 * What it changed so far stays; its message offers the way back. One that can be steered (a canary) backs out instead.
 * @throws Fault UNKNOWN_RUN, NOT_YOURS_TO_STOP, ALREADY_OVER
 */
export async function stop(engine: Engine, runId: string, wish: { actor: Actor; reason?: string }): Promise<Run> {
  const run = await engine.store.read(runId);
  if (!run) throw fault('UNKNOWN_RUN', { id: runId });
  if (mayStop(engine, run, wish.actor)) return await halt(engine, run, wish);
  refused(engine, run, { actor: wish.actor, text: 'stop refused: not permitted' });
  throw fault('NOT_YOURS_TO_STOP', { id: runId });
}
