import { merged } from '../core/effects/effects.ts';
import { fault } from '../core/errors.ts';
import { type Operation, operationOf, type PlanContext, type RunContext } from '../core/operation.ts';
import { siteOf } from '../core/place.ts';
import { bind, type Draft, type Plan } from '../core/plan.ts';
import type { Verdict } from '../core/policy.ts';
import type { Clients } from '../core/ports.ts';
import { redactDeep } from '../core/redact.ts';
import type { Run } from '../core/run.ts';
import type { SecretSettings } from '../core/secret-names.ts';
import { holdsSecret, isFilledSecret, maskedChange } from '../core/secret-values.ts';
import { authorise } from './authorise.ts';
import { checkCovered, checkSites } from './covered.ts';
import { admitted, effectsOf } from './effects.ts';
import { clientsFor } from './identity.ts';
import type { Lap } from './lap.ts';
import { permit } from './permit.ts';
import { checkInput } from './request.ts';
import { doStep, doWait, doWaitFor } from './steps.ts';

/** What a run is about: that of a part is not the record's own. */
type Subject = Pick<
  Run,
  'id' | 'operation' | 'input' | 'place' | 'site' | 'places' | 'actor' | 'origin' | 'salt' | 'breakGlass'
>;

function planContext(lap: Lap, operation: Operation, subject: Subject = lap.run()): PlanContext<keyof Clients> {
  const { id, place, site, actor, origin } = subject;
  return {
    id,
    on: clientsFor(lap.engine, { ...lap.run(), ...subject }),
    settings: lap.engine.settings(),
    catalogue: lap.engine.catalogue,
    signal: lap.signal,
    actor,
    origin,
    now: lap.engine.now,
    get place() {
      if (!place) throw fault('INTERNAL', { problem: 'the operation names no app and environment', run: id });
      return place;
    },
    get site() {
      const found = siteOf({ place, site });
      if (!found) throw fault('INTERNAL', { problem: 'the operation names no environment', run: id });
      return found;
    },
    foresee: (name, input) => foresee(lap, name, input),
    step: (name, act) => doStep(lap, operation, name, act),
  };
}

/** What an operation is given to carry out its plan. */
export function runContext(lap: Lap, operation: Operation, plan: Plan): RunContext<keyof Clients, string> {
  const context = planContext(lap, operation);
  return {
    on: context.on,
    settings: context.settings,
    catalogue: context.catalogue,
    signal: context.signal,
    actor: context.actor,
    origin: context.origin,
    now: context.now,
    get place() {
      return context.place;
    },
    get site() {
      return context.site;
    },
    id: context.id,
    plan,
    foresee: context.foresee,
    step: context.step,
    wait: (name, ms) => doWait(lap, name, ms),
    waitFor: (name, options) => doWaitFor(lap, name, options),
  };
}

/** Whether a draft has a secret value anywhere: in what is written, in what was there before, in the way back. */
function draftHoldsSecret({ writes = [], ...rest }: Draft, settings: SecretSettings): boolean {
  const inSecret = writes.some((write) => {
    if (write.kind === 'merge') return isFilledSecret({ ...write.patch, kind: write.ref.kind });
    return write.kind === 'edit' && write.ref.kind === 'Secret';
  });
  return inSecret || holdsSecret(writes, settings) || holdsSecret({ ...rest, changes: [] }, settings);
}

/**
 * Plans by reading and dry runs, and asks the policy of today: it may have changed since the request. So may what the request's names
 * stand for: `where` is what the plan is about.
 */
export async function planned(
  lap: Lap,
  operation: Operation,
  subject: Subject = lap.run(),
): Promise<{ plan: Plan; verdict: Verdict; where: Pick<Run, 'place' | 'site' | 'places'> }> {
  const settings = lap.engine.settings();
  const asked = authorise(settings, subject, operation);
  const { place: its, site: there, places } = asked;
  const where = { ...(its && { place: its }), ...(there && { site: there }), ...(places && { places }) };
  const about = { ...subject, place: its, site: there, places };
  await permit(lap, operation, { ...lap.run(), ...about });
  checkSites(lap, operation, [...(places ?? []), ...(its ? [its] : []), ...(there ? [there] : [])]);
  await checkCovered(lap, operation, places ?? (its ? [its] : []));
  const draft = await operation.plan(planContext(lap, operation, about), subject.input);
  if (!lap.engine.store.sealed && draftHoldsSecret(draft, settings.secrets))
    throw fault('NOT_SEALED', { operation: operation.name });
  const { evicts: _, ...kept } = draft;
  const effects = await effectsOf(lap, operation, where, draft);
  const touches = merged([...(draft.touches ?? []), ...effects.touches]);
  const whole = { ...kept, ...(touches.length > 0 && { touches }) };
  const { target, place, site, verdict } = authorise(settings, subject, operation, whole);
  await permit(lap, operation, { ...lap.run(), ...about }, [...touches, ...effects.uncovered]);
  const warnings = await admitted(lap, effects);
  const beyond = touches.flatMap((touch) => touch.beyond ?? []);
  const told = new Set([
    ...(draft.warnings ?? []),
    ...warnings,
    ...effects.warnings,
    ...beyond.map((problem) => `Beyond Pod Security: ${problem}.`),
  ]);
  const terms = {
    operation: operation.name,
    target: place ?? site ?? target,
    policy: verdict,
    input: subject.input,
    salt: subject.salt,
  };
  // The digest is of the plan as it is; what people see of it holds no secrets.
  const bound = bind({ ...whole, ...(told.size > 0 && { warnings: [...told] }) }, terms);
  const { redact } = lap.engine;
  const changes = bound.changes.map((change) => maskedChange(change, settings.secrets));
  return {
    verdict,
    where,
    plan: { ...bound, summary: redact(bound.summary), changes: await redactDeep(redact, changes) },
  };
}

async function foresee(lap: Lap, name: string, input: Record<string, unknown>): Promise<Plan> {
  const operation = operationOf(lap.engine.catalogue, name);
  const { id, actor, origin, breakGlass } = lap.run();
  const subject = { id, actor, origin, ...(breakGlass && { breakGlass }) };
  return (await planned(lap, operation, { ...subject, operation: name, input: checkInput(operation, input) })).plan;
}

/** What was approved of a part is the plan that the whole showed of it. @throws Fault PART_CHANGED */
export function checkPart({ partOf, place }: Run, { digest }: Plan): void {
  if (partOf?.digest === undefined || partOf.digest === digest) return;
  throw fault('PART_CHANGED', { app: place?.app ?? partOf.key, run: partOf.id });
}
