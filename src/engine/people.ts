import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, personOf } from '../core/actor.ts';
import { standing } from '../core/approval.ts';
import { Fault, fault } from '../core/errors.ts';
import type { Run } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import { type Lap, Parked } from './lap.ts';
import { turnsOf } from './order.ts';

/** A platform that is away for a moment is waited for in the lap; one that is away for longer, without a worker. */
const againAfterMs = 500;
const parkedMs = [5_000, 10_000, 20_000, 40_000, 60_000];
/** What nobody had to approve is not done days after it was asked for. */
const mostParkedMs = 24 * 60 * 60_000;

const nameOf = (settings: Settings, actor: Actor): string =>
  personOf(settings, actor) ?? (actor.kind === 'slack' ? actor.user : 'somebody');

/** @returns undefined where the platform does not say */
async function ask({ engine }: Lap, actor: Actor) {
  try {
    return await engine.membership(actor);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'IDENTITY_UNKNOWN') return undefined;
    throw thrown;
  }
}

async function look(lap: Lap, actor: Actor) {
  const found = await ask(lap, actor);
  if (found || lap.run().unidentified) return found;
  await sleep(againAfterMs, undefined, { signal: lap.signal });
  return await ask(lap, actor);
}

/** When the approval of a run that waits for Slack lapses; one that did so in a line, before it waited for that, has its time again. */
function lapseOf({ state, verdict, expiresAt }: Run, since: number): number | undefined {
  if (state !== 'running' || verdict?.kind !== 'needs-approval' || expiresAt === undefined) return undefined;
  return since < expiresAt ? expiresAt : since + verdict.expireMinutes * 60_000;
}

/** @throws Parked where it is over with its approval; Fault IDENTITY_UNKNOWN */
async function checkPatience(lap: Lap, since: number): Promise<void> {
  const lapses = lapseOf(lap.run(), since);
  if (lap.engine.now() < (lapses ?? since + mostParkedMs)) return;
  if (lapses === undefined) throw fault('IDENTITY_UNKNOWN', {});
  await lap.save((run) => ({ ...run, state: 'expired' }), [{ kind: 'state', text: 'expired' }]);
  throw new Parked('identity');
}

/**
 * Parks the run until Slack is asked again. It keeps no turn: what was asked for elsewhere, or breaks the glass, does not wait for
 * Slack. So what nobody approved is planned anew; what was approved is compared with its plan before the first change in any case.
 */
async function park(lap: Lap, actor: Actor): Promise<never> {
  const { engine } = lap;
  const { id, unidentified: before, state, decisions } = lap.run();
  const now = engine.now();
  const { since, tries } = before ?? { since: now, tries: 0 };
  const wakeAt = Math.min(lapseOf(lap.run(), since) ?? Infinity, now + (parkedMs[tries] ?? Math.max(...parkedMs)));
  const next = state === 'running' && decisions.length === 0 ? 'requested' : state;
  const text = `waits for Slack to say who ${nameOf(engine.settings(), actor)} is`;
  await lap.save(
    (run) => ({ ...run, state: next, wakeAt, unidentified: { actor, since, tries: tries + 1 } }),
    before ? [] : [{ kind: 'note', text }],
  );
  await engine.store.leaveTurns(id, turnsOf(lap.run()));
  throw new Parked('identity');
}

/**
 * Looks again at everybody on whose word a run rests: who asked for it, and those whose approvals stand. The surface did so
 * when they spoke; since then they may have left, and what the store holds may be older than the surface's rule.
 * @throws Parked where Slack does not say; Fault NO_LONGER_MEMBER, or IDENTITY_UNKNOWN where it has not said for a day
 */
export async function checkPeople(lap: Lap): Promise<void> {
  const run = lap.run();
  const { unidentified } = run;
  if (unidentified) await checkPatience(lap, unidentified.since);
  const approvers = standing(lap.engine.settings(), run).map(({ actor }) => actor);
  for (const actor of [run.actor, ...approvers]) {
    const found = await look(lap, actor);
    if (!found) return await park(lap, actor);
    if (found.kind === 'member') continue;
    throw fault('NO_LONGER_MEMBER', { who: nameOf(lap.engine.settings(), actor), kind: found.other });
  }
  if (unidentified)
    lap.stage(
      (waited) => ({ ...waited, wakeAt: undefined, unidentified: undefined }),
      [{ kind: 'note', text: 'Slack has said who they are' }],
    );
}
