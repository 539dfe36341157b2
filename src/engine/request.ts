import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Actor } from '../core/actor.ts';
import { Fault, fault } from '../core/errors.ts';
import { isObject, JsonObject } from '../core/json.ts';
import { type Operation, operationOf } from '../core/operation.ts';
import { placesOf } from '../core/place.ts';
import type { Origin, Run } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import { authorise } from './authorise.ts';
import type { Engine } from './engine.ts';
import { checkFreeze } from './permit.ts';
import { noteRefusal } from './refuse.ts';

/** A request as a surface hands it over. `key` makes it idempotent: the second request with it gets the first one's run. */
export type Ask = {
  actor: Actor;
  operation: string;
  input: unknown;
  origin: Origin;
  key?: string;
  breakGlass?: string;
  trace?: string;
  /** Where a run asks for a part of itself. */
  partOf?: Run['partOf'];
};

/** Checks the input by the operation's schema. @throws Fault BAD_INPUT, naming each field that is wrong */
export function checkInput(operation: Operation, input: unknown): JsonObject {
  const parsed = operation.input.safeParse(input);
  if (parsed.success) return JsonObject.parse(JSON.parse(JSON.stringify(parsed.data)));
  const problem = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; ');
  throw fault('BAD_INPUT', { problem: `${operation.name}: ${problem}.` }, z.treeifyError(parsed.error));
}

/** A reason that explains nothing is none: somebody will have to review it. */
function reasonOf({ redact }: Engine, { breakGlass }: Ask): { reason: string } | undefined {
  if (breakGlass === undefined) return undefined;
  const reason = breakGlass.trim();
  if (reason.length >= 8 && reason.length <= 500) return { reason: redact(reason) };
  throw fault('BAD_INPUT', { problem: 'Breaking the glass needs a reason of 8 to 500 characters.' });
}

/** Asks policy and freezes at once, so that a no is said where the request was made; both are asked again in the worker. */
function permitted(
  engine: Engine,
  { actor, origin }: Ask,
  operation: Operation,
  request: { input: JsonObject; breakGlass?: { reason: string } },
): Pick<Run, 'place' | 'site' | 'places'> {
  try {
    const { place, site, places } = authorise(engine.settings(), { actor, ...request }, operation);
    const found = { ...(place && { place }), ...(site && { site }), ...(places && { places }) };
    const { breakGlass } = request;
    const asked = { actor, operation: operation.name, ...(breakGlass && { breakGlass }) };
    for (const where of operation.effect === 'change' && !operation.aside ? placesOf(found) : [])
      checkFreeze(engine.settings(), asked, where, engine.now());
    return found;
  } catch (thrown) {
    const { name, effect } = operation;
    const { app, env } = operation.target(request.input);
    const text = thrown instanceof Fault ? `${thrown.code}: ${thrown.message}` : 'refused';
    noteRefusal(engine, { actor, surface: origin.surface, operation: name, effect, text, app, env });
    throw thrown;
  }
}

/** The run that a request becomes. @throws Fault where it is wrong or not permitted */
function prepare(engine: Engine, ask: Ask): Run {
  const operation = operationOf(engine.catalogue, ask.operation);
  const input = checkInput(operation, ask.input);
  const secret = operation.secret(input);
  if (secret && !engine.store.sealed) throw fault('NOT_SEALED', { operation: operation.name });
  const breakGlass = reasonOf(engine, ask);
  const where = permitted(engine, ask, operation, { input, ...(breakGlass && { breakGlass }) });
  const now = engine.now();
  return {
    id: engine.newId(),
    version: 1,
    operation: operation.name,
    effect: operation.effect,
    input,
    ...(secret && { salt: randomUUID() }),
    actor: ask.actor,
    origin: ask.origin,
    trace: ask.trace ?? randomUUID().replaceAll('-', ''),
    ...(breakGlass && { breakGlass }),
    ...(ask.partOf && { partOf: ask.partOf }),
    ...where,
    state: 'requested',
    createdAt: now,
    updatedAt: now,
    called: [],
    decisions: [],
    checklist: [...operation.steps],
    steps: {},
  };
}

/** Whether it may be asked for at all, before anything large is taken in for it. @throws Fault as `request` */
export const checkAsk = (engine: Engine, ask: Ask): void => void prepare(engine, ask);

async function store(engine: Engine, fresh: Run, key: string | undefined): Promise<Run> {
  const events = [{ at: fresh.createdAt, kind: 'state' as const, text: 'requested' }];
  const { run, created } = await engine.store.create({ run: fresh, events }, key);
  // After the answer is on its way: the run is stored, and whoever asked should not wait for the queue as well.
  if (created) setImmediate(() => void wakeOrLeaveToSweeper(engine, run.id));
  return run;
}

/**
 * The front door: checks the request, stores it as a run and wakes a worker. Planning is the worker's first lap.
 * @throws Fault where the request is wrong, not permitted, or can't be stored; nothing has been started then.
 */
export async function request(engine: Engine, ask: Ask): Promise<Run> {
  return await store(engine, prepare(engine, ask), ask.key);
}

/** What is asked for, environment by environment: `in eu,us`, or the name of a fleet, stands for several. */
export function inputsOf({ fleets }: Settings, input: unknown): unknown[] {
  if (!isObject(input) || typeof input.env !== 'string') return [input];
  const names = input.env.split(',').flatMap((name) => (Object.hasOwn(fleets, name) ? (fleets[name] ?? []) : [name]));
  return [...new Set(names)].map((env) => ({ ...input, env }));
}

/**
 * The same where a request may be for several environments: a run for each, with a plan, a verdict and a result of its own.
 * All are checked before the first is stored.
 */
export async function requestEach(engine: Engine, ask: Ask): Promise<Run[]> {
  const asks = inputsOf(engine.settings(), ask.input).map((input, index, all) => ({
    ...ask,
    input,
    ...(ask.key !== undefined && all.length > 1 && { key: `${ask.key}:${index}` }),
  }));
  const fresh = asks.map((each) => ({ run: prepare(engine, each), key: each.key }));
  return await Promise.all(fresh.map(({ run, key }) => store(engine, run, key)));
}

/** A call that gets lost costs two seconds, not the run: the sweeper looks at every open run. */
export async function wakeOrLeaveToSweeper(engine: Engine, runId: string): Promise<void> {
  try {
    await engine.wake(runId);
  } catch (problem) {
    engine.log.warn({ runId, problem }, 'no worker could be woken; the sweeper will');
  }
}
