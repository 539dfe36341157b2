import { samePerson } from '../core/actor.ts';
import { placeKey } from '../core/lock.ts';
import type { Operation } from '../core/operation.ts';
import { placesOf } from '../core/place.ts';
import { keepsTurn, type Run } from '../core/run.ts';
import type { Lap } from './lap.ts';

/**
 * Whether one's own turn, taken by joining the line, covers this run too. What one asked for earlier still comes first:
 * also of one person's runs only one is under way at a time.
 */
async function sharesTurn({ engine, run }: Lap, [holder = '', ...ahead]: readonly string[]): Promise<boolean> {
  const own = (other: Run | undefined) => other && samePerson(engine.settings(), other.actor, run().actor);
  const held = await engine.store.read(holder);
  if (!held || !own(held) || !engine.catalogue.get(held.operation)?.shares) return false;
  const earlier = await Promise.all(ahead.map((id) => engine.store.read(id)));
  return !earlier.some(own);
}

/** All places that a run needs its turn at: what it was asked for, and what its plan changes besides. */
export function turnsOf(run: Pick<Run, 'place' | 'site' | 'places' | 'plan'>): string[] {
  const besides = (run.plan?.touches ?? []).flatMap(({ app, env }) =>
    env === undefined ? [] : [placeKey({ env, ...(app !== undefined && { app }) })],
  );
  return [...new Set([...placesOf(run).map(placeKey), ...besides])];
}

/**
 * Waits in line where another run is under way in the same place: one at a time, in order. What is marked `first` in the
 * catalogue, and what breaks the glass, goes before all others who wait.
 * @returns whether it is this run's turn; if not, the run is stored as queued
 */
export async function takeTurn(lap: Lap, operation: Operation): Promise<boolean> {
  const { id, state, breakGlass, partOf } = lap.run();
  if (operation.effect === 'read' || operation.aside || operation.alongside) return true;
  const first = operation.first === true || breakGlass !== undefined;
  // All who need several turns take them in one order, so that no two of them wait for each other.
  for (const place of turnsOf(lap.run()).sort()) {
    const before = await lap.engine.store.takeTurn(id, place, first, partOf?.id);
    if (before.length === 0 || (await sharesTurn(lap, before))) continue;
    if (state !== 'queued')
      await lap.save(
        (run) => ({ ...run, state: 'queued', wakeAt: undefined, unidentified: undefined }),
        [{ kind: 'state', text: `waits for run ${before[0]}` }],
      );
    return false;
  }
  return true;
}

/** One turn goes with the record that it is over; several are let go of behind it. */
export async function leaveTurns({ engine, run }: Pick<Lap, 'engine' | 'run'>): Promise<void> {
  const { id, state, places, plan } = run();
  const several = places ?? plan?.touches;
  if (several && !keepsTurn({ state })) await engine.store.leaveTurns(id, turnsOf(run()));
}
