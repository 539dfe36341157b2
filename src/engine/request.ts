import { z } from 'zod';
import type { Actor } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import { JsonObject } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import type { Operation, Target } from '../core/operation.ts';
import { appOf, locate, type Place } from '../core/place.ts';
import { judge } from '../core/policy.ts';
import type { Origin, Run } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import { denial } from './denial.ts';
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

/** Resolves the target as far as it goes. @throws Fault UNKNOWN_APP, UNKNOWN_ENVIRONMENT */
export function placeOf(settings: Settings, { app, env }: Target): Place | undefined {
  if (app !== undefined && env !== undefined) return locate(settings, { app, env });
  if (app !== undefined) appOf(settings, app);
  return undefined;
}

/**
 * The front door: checks the request, stores it as a run and wakes a worker. Planning is the worker's first lap.
 * @throws Fault where the request is wrong, not permitted, or can't be stored; nothing has been started then.
 */
export async function request(engine: Engine, ask: Ask): Promise<Run> {
  const operation = operationOf(engine, ask.operation);
  const input = checkInput(operation, ask.input);
  const settings = engine.settings();
  const target = operation.target(input);
  const place = placeOf(settings, target);
  const question = {
    actor: ask.actor,
    operation: operation.name,
    effect: operation.effect,
    ...target,
    ...(place && { env: place.env }),
  };
  const verdict = judge(settings, question);
  if (verdict.kind === 'deny') throw denial(settings, question, verdict);
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
