import { z } from 'zod';
import { Fault } from '../core/errors.ts';
import type { RunStore } from '../core/ports.ts';
import type { Cancel } from '../core/run.ts';
import { type Connection, guarded } from './connection.ts';
import { keys, runPrefix, trialPrefix } from './keys.ts';
import { openedLocks } from './order.ts';
import type { Records } from './records.ts';
import * as lua from './run-scripts.ts';
import type { Seal } from './seal.ts';
import * as turns from './turn-scripts.ts';

/** How long a run is left alone of which something can't be read. */
const asideMs = 10 * 60_000;

const Texts = z.array(z.string());
/** Epoch, record, the wish that it stop, the locks by their scopes, and how many workers were lost; nothing where the lease is another's. */
const Taken = z
  .union([z.tuple([z.number(), z.string(), z.string(), Texts, z.number()]), z.literal('suspect')])
  .nullable();

/** 0 where the lease was lost; else the wish that the run stop, and how often it was steered. */
const Kept = z.union([z.literal(0), z.tuple([z.string(), z.number()])]);

/** A hash as a script answers it: field, value, field, value. */
const pairsOf = (flat: readonly string[]): Record<string, string> =>
  Object.fromEntries(flat.flatMap((field, index) => (index % 2 === 0 ? [[field, flat[index + 1] ?? '']] : [])));

/** Who works on which run, whose turn it is, and which run somebody should look at. */
export function createRunLeases(
  redis: Connection,
  { opened, openedCancel }: Pick<Records, 'opened' | 'openedCancel'>,
  seal: Seal,
): Pick<RunStore, 'lease' | 'acquit' | 'renew' | 'release' | 'due' | 'takeTurn' | 'leaveTurns'> {
  const takeLease: RunStore['lease'] = async (id, owner, ttlMs, { suspects } = { suspects: true }) => {
    const args = [id, owner, ttlMs, suspects ? '1' : '0', trialPrefix];
    const held = Taken.parse(await lua.lease(redis, [keys.run(id), keys.due, keys.locks], args));
    if (!held) return undefined;
    if (held === 'suspect') return held;
    const [epoch, record, wish, locks, lost] = held;
    try {
      const cancel = wish === '' ? {} : { cancel: openedCancel(id, wish) };
      return { epoch, run: opened(id, record), lost, locks: openedLocks(seal, pairsOf(locks)), ...cancel };
    } catch (problem) {
      // It must not come up again and again, and whoever could not read it was not lost with it.
      await lua.release(redis, [keys.run(id), keys.due], [id, epoch]);
      await redis.zadd(keys.due, 'XX', Date.now() + asideMs, id);
      throw problem;
    }
  };
  /** A wish that can't be read is one run's trouble: it is let go of, and whoever takes it next says why. */
  const wishOf = (id: string, wish: string): { cancel: Cancel } | 'unreadable' => {
    try {
      return { cancel: openedCancel(id, wish) };
    } catch (thrown) {
      if (thrown instanceof Fault) return 'unreadable';
      throw thrown;
    }
  };
  const outcomeOf = (states: readonly { id: string; kept: z.output<typeof Kept> }[]) => {
    const wishes = states.flatMap(({ id, kept }) =>
      kept !== 0 && kept[0] !== '' ? [{ id, found: wishOf(id, kept[0]) }] : [],
    );
    return {
      lost: [
        ...states.flatMap(({ id, kept }) => (kept === 0 ? [id] : [])),
        ...wishes.flatMap(({ id, found }) => (found === 'unreadable' ? [id] : [])),
      ],
      cancelled: wishes.flatMap(({ id, found }) => (found === 'unreadable' ? [] : [{ id, ...found }])),
      steered: states.flatMap(({ id, kept }) => (kept !== 0 && kept[1] > 0 ? [{ id, count: kept[1] }] : [])),
    };
  };
  return {
    takeTurn: (id, place, first, lender = '') =>
      guarded(async () => {
        const names = [keys.turn(place), keys.line(place), keys.tickets, keys.busy];
        return Texts.parse(await turns.takeTurn(redis, names, [id, place, first ? '1' : '0', runPrefix, lender]));
      }),
    leaveTurns: (id, places) =>
      guarded(async () => {
        for (const place of places) {
          const names = [keys.turn(place), keys.line(place), keys.due, keys.dirty, keys.busy];
          await turns.leaveTurn(redis, names, [id, place, runPrefix, keys.changed]);
        }
      }),
    lease: (...asked) => guarded(() => takeLease(...asked)),
    acquit: (id, owner) => guarded(async () => void (await lua.acquit(redis, [keys.trial(owner)], [id]))),
    renew: (held, ttlMs) =>
      guarded(async () => {
        const kept = await Promise.all(
          held.map(({ id, epoch }) => lua.renew(redis, [keys.run(id), keys.due], [id, epoch, ttlMs])),
        );
        return outcomeOf(held.map(({ id }, index) => ({ id, kept: Kept.parse(kept[index]) })));
      }),
    release: (id, epoch) => guarded(async () => void (await lua.release(redis, [keys.run(id), keys.due], [id, epoch]))),
    due: (limit, againMs) => guarded(async () => Texts.parse(await lua.claimDue(redis, [keys.due], [limit, againMs]))),
  };
}
