import { samePerson } from '../core/actor.ts';
import { placeKey } from '../core/lock.ts';
import type { Operation } from '../core/operation.ts';
import type { Lap } from './lap.ts';

/** The catalogue's name of the operation by which a person takes a place in line without a run of their own yet. */
export const joinOperation = 'join';

/** Whoever joined the line and is up has the turn for what they ask for next. */
async function holdsForSelf(lap: Lap, holder: string): Promise<boolean> {
  const other = await lap.engine.store.read(holder);
  return other?.operation === joinOperation && samePerson(lap.engine.settings(), other.actor, lap.run().actor);
}

/**
 * Waits in line where another run is under way in the same place: one at a time, in order. What is marked `first` in the
 * catalogue, and what breaks the glass, goes before all others who wait.
 * @returns whether it is this run's turn; if not, the run is stored as queued
 */
export async function takeTurn(lap: Lap, operation: Operation): Promise<boolean> {
  const { id, place, state, breakGlass } = lap.run();
  if (operation.effect === 'read' || operation.aside || !place) return true;
  const first = operation.first === true || breakGlass !== undefined;
  const [holder] = await lap.engine.store.takeTurn(id, placeKey(place), first);
  if (holder === undefined || (await holdsForSelf(lap, holder))) return true;
  if (state !== 'queued')
    await lap.save(
      (run) => ({ ...run, state: 'queued', wakeAt: undefined }),
      [{ kind: 'state', text: `waits for run ${holder}` }],
    );
  return false;
}
