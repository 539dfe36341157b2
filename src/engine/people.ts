import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, personOf } from '../core/actor.ts';
import { standing } from '../core/approval.ts';
import { fault } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import type { Lap } from './lap.ts';

/** A platform that is away for a moment must not end a run that people have approved. */
const againAfterMs = [500, 2_000];

const nameOf = (settings: Settings, actor: Actor): string =>
  personOf(settings, actor) ?? (actor.kind === 'slack' ? actor.user : 'somebody');

async function look({ engine, signal }: Pick<Lap, 'engine' | 'signal'>, actor: Actor) {
  for (const ms of againAfterMs) {
    const found = await engine.membership(actor).catch(() => undefined);
    if (found) return found;
    await sleep(ms, undefined, { signal });
  }
  return await engine.membership(actor);
}

/**
 * Looks again at everybody on whose word a run rests: who asked for it, and those whose approvals stand. The surface did so
 * when they spoke; since then they may have left, and what the store holds may be older than the surface's rule.
 * @throws Fault NO_LONGER_MEMBER, IDENTITY_UNKNOWN
 */
export async function checkPeople(lap: Pick<Lap, 'engine' | 'signal' | 'run'>): Promise<void> {
  const run = lap.run();
  const approvers = standing(lap.engine.settings(), run).map(({ actor }) => actor);
  for (const actor of [run.actor, ...approvers]) {
    const found = await look(lap, actor);
    if (found.kind === 'member') continue;
    throw fault('NO_LONGER_MEMBER', { who: nameOf(lap.engine.settings(), actor), kind: found.other });
  }
}
