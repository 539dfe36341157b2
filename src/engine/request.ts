import { z } from 'zod';
import type { Actor } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import { JsonObject } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import type { Operation } from '../core/operation.ts';
import type { Origin, Run } from '../core/run.ts';
import { authorise } from './authorise.ts';
import type { Engine } from './engine.ts';

/** A request as a surface hands it over. `key` makes it idempotent: the second request with it gets the first one's run. */
export type Ask = { actor: Actor; operation: string; input: unknown; origin: Origin; key?: string };

/** Finds the operation. @throws Fault UNKNOWN_OPERATION, with the nearest name */
export function operationOf(engine: Pick<Engine, 'catalogue'>, name: string): Operation {
  const found = engine.catalogue.get(name);
  if (found) return found;
  throw fault('UNKNOWN_OPERATION', { name, near: didYouMean(name, [...engine.catalogue.keys()]) });
}

/** Checks the input by the operation's schema. @throws Fault BAD_INPUT, naming each field that is wrong */
export function checkInput(operation: Operation, input: unknown): JsonObject {
  const parsed = operation.input.safeParse(input);
  if (parsed.success) return JsonObject.parse(JSON.parse(JSON.stringify(parsed.data)));
  const problem = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; ');
  throw fault('BAD_INPUT', { problem: `${operation.name}: ${problem}.` }, z.treeifyError(parsed.error));
}

/**
 * The front door: checks the request, stores it as a run and wakes a worker. Planning is the worker's first lap.
 * @throws Fault where the request is wrong, not permitted, or can't be stored; nothing has been started then.
 */
export async function request(engine: Engine, ask: Ask): Promise<Run> {
  const operation = operationOf(engine, ask.operation);
  const input = checkInput(operation, ask.input);
  const { place } = authorise(engine.settings(), ask.actor, operation, input);
  const now = engine.now();
  const fresh: Run = {
    id: engine.newId(),
    version: 1,
    operation: operation.name,
    input,
    actor: ask.actor,
    origin: ask.origin,
    ...(place && { place }),
    state: 'requested',
    createdAt: now,
    updatedAt: now,
    decisions: [],
    checklist: [...operation.steps],
    steps: {},
  };
  const events = [{ at: now, kind: 'state' as const, text: 'requested' }];
  const { run, created } = await engine.store.create({ run: fresh, events }, ask.key);
  // After the answer is on its way: the run is stored, and whoever asked should not wait for the queue as well.
  if (created) setImmediate(() => void wakeOrLeaveToSweeper(engine, run.id));
  return run;
}

/** A call that gets lost costs two seconds, not the run: the sweeper looks at every open run. */
export async function wakeOrLeaveToSweeper(engine: Engine, runId: string): Promise<void> {
  try {
    await engine.wake(runId);
  } catch (problem) {
    engine.log.warn({ runId, problem }, 'no worker could be woken; the sweeper will');
  }
}
