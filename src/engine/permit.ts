import { type Actor, actorId, holdsRole, personOf, samePerson } from '../core/actor.ts';
import { environmentEntry } from '../core/apps.ts';
import type { Touch } from '../core/effects/touch.ts';
import { fault } from '../core/errors.ts';
import { frozen } from '../core/freeze.ts';
import { everything, locksOn, scopeText } from '../core/lock.ts';
import { momentText } from '../core/moments.ts';
import type { Operation } from '../core/operation.ts';
import { placesOf } from '../core/place.ts';
import type { Run } from '../core/run.ts';
import type { Settings, Spared } from '../core/settings.ts';
import type { Engine } from './engine.ts';
import type { Lap } from './lap.ts';

/** An app in an environment, or an environment as a whole. */
type Where = { env: string; app?: string };

type Asked = Pick<Run, 'actor' | 'operation' | 'breakGlass'>;

/** Whether the run broke the glass, and `shipmate.yaml` names this among what that passes over. */
const isSpared = (settings: Settings, { breakGlass }: Pick<Run, 'breakGlass'>, what: Spared): boolean =>
  breakGlass !== undefined && settings.breakGlass.spares.includes(what);

/** @throws Fault FROZEN where a freeze of shipmate.yaml covers this change now */
export function checkFreeze(settings: Settings, run: Asked, place: Where, now: number): void {
  if (isSpared(settings, run, 'freezes')) return;
  const app = place.app ?? 'everything';
  const found = frozen(
    settings.freezes,
    { at: now, env: place.env, app: place.app, operation: run.operation },
    (roles) => holdsRole(settings, run.actor, roles),
  );
  if (!found) return;
  throw fault('FROZEN', { freeze: found.freeze.name, app, env: place.env, until: momentText(found.until) });
}

const nameOf = (settings: Settings, actor: Actor) => personOf(settings, actor) ?? actorId(actor);

function checkLocks({ engine, run, locks: all }: Lap, place: Where): void {
  const settings = engine.settings();
  const locks = locksOn(all, place, engine.now());
  // A stop of everything stops its owner too; a lock is there so that its owner can work.
  const other = locks.find(({ scope, owner }) =>
    scope === everything
      ? !isSpared(settings, run(), 'stop')
      : !isSpared(settings, run(), 'locks') && !samePerson(settings, owner, run().actor),
  );
  if (!other) return;
  throw fault('LOCKED', {
    scope: scopeText(other.scope),
    owner: nameOf(settings, other.owner),
    reason: other.reason,
    until: momentText(other.until),
  });
}

async function checkRate(engine: Engine, run: Run, place: Where): Promise<void> {
  const entry = environmentEntry(engine.settings(), place.env);
  const limit = entry?.its.rateLimit;
  // A part belongs to a change that was let through already: to stop in the middle of it would protect nobody.
  if (!entry || !limit || run.partOf || isSpared(engine.settings(), run, 'rate-limits')) return;
  const ok = await engine.store.within(entry.key, run.id, limit.changes, limit.minutes * 60_000);
  if (!ok)
    throw fault('TOO_MANY_CHANGES', { env: place.env, changes: String(limit.changes), minutes: String(limit.minutes) });
}

/**
 * Whether a change may begin now: locks, freezes, the global stop and the environment's rate. Asked before the plan is
 * shown and again before the first change, since a run may have waited long between the two.
 * Breaking the glass passes over those only that `shipmate.yaml` names.
 * @throws Fault LOCKED, FROZEN, TOO_MANY_CHANGES
 */
export async function permit(
  lap: Lap,
  operation: Operation,
  run: Run = lap.run(),
  touches: readonly Touch[] = [],
): Promise<void> {
  const { engine } = lap;
  if (operation.effect === 'read' || operation.aside) return;
  const places = placesOf(run);
  for (const where of places) {
    checkFreeze(engine.settings(), run, where, engine.now());
    checkLocks(lap, where);
  }
  const besides = touches.flatMap(({ app, env, operations }) =>
    env === undefined ? [] : [{ where: { env, ...(app !== undefined && { app }) }, operations }],
  );
  for (const { where, operations } of besides) {
    for (const name of operations) checkFreeze(engine.settings(), { ...run, operation: name }, where, engine.now());
    checkLocks(lap, where);
  }
  // One run counts once in an environment, however much of it it changes.
  for (const env of new Set([...places, ...besides.map(({ where }) => where)].map((where) => where.env)))
    await checkRate(engine, run, { env });
}
