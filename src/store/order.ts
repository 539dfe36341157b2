import type { z } from 'zod';
import { Delegation } from '../core/approval.ts';
import { Lock, placeKey } from '../core/lock.ts';
import { siteOf } from '../core/place.ts';
import type { DelegationStore, Line, LockStore, OrderStore, RunStore } from '../core/ports.ts';
import type { Run } from '../core/run.ts';
import { type Connection, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { asStored, leftOut } from './readable.ts';
import { fieldOf, noSeal, type Seal } from './seal.ts';

const placeOf = (run: Run): string | undefined => {
  const where = siteOf(run);
  return where && placeKey(where);
};

/** Who waits where, and what was done there. */
export function createOrderStore(redis: Connection, runs: Pick<RunStore, 'read'>): OrderStore {
  const line = async (place: string): Promise<Line> => {
    const [holder, waiting, pace] = await Promise.all([
      redis.get(keys.turn(place)),
      redis.zrange(keys.line(place), '0', '-1'),
      redis.hget(keys.pace, place),
    ]);
    return { place, waiting, ...(holder !== null && { holder }), ...(pace !== null && { paceMs: Number(pace) }) };
  };
  return {
    line: (place) => guarded(() => line(place)),
    lines: () => guarded(async () => Promise.all((await redis.smembers(keys.busy)).sort().map(line))),
    history: (place, limit) =>
      guarded(async () => {
        const ids = await redis.lrange(keys.history(place), 0, limit - 1);
        const found = await Promise.all(ids.map((id) => runs.read(id).catch(leftOut)));
        // The list is a hint: what a run says of itself counts.
        return found.filter((run) => run !== undefined).filter((run) => placeOf(run) === place);
      }),
  };
}

/** The values of a hash, each sealed under its own field. */
const openedHash = <Schema extends z.ZodType>(
  schema: Schema,
  seal: Seal,
  key: string,
  hash: Record<string, string>,
): z.output<Schema>[] =>
  Object.entries(hash).map(([field, value]) => {
    const about = fieldOf(key, field);
    return asStored(schema, seal.open(value, about), about);
  });

/** Locks as the hash of all locks has them. @throws Fault where one bears no seal, or another's: nothing goes past it */
export const openedLocks = (seal: Seal, hash: Record<string, string>): Lock[] =>
  openedHash(Lock, seal, keys.locks, hash);

/** Locks, and the global stop, which is a lock of everything. */
export function createLockStore(redis: Connection, seal: Seal = noSeal): LockStore {
  return {
    all: () => guarded(async () => openedLocks(seal, await redis.hgetall(keys.locks))),
    put: (lock) =>
      guarded(async () => {
        const sealed = seal.seal(JSON.stringify(lock), fieldOf(keys.locks, lock.scope));
        await redis.hset(keys.locks, lock.scope, sealed);
      }),
    remove: (scope) => guarded(async () => void (await redis.hdel(keys.locks, scope))),
  };
}

/** Who decides for whom while away. Over ones stay until they are replaced; whoever reads looks at the time. */
export function createDelegationStore(redis: Connection, seal: Seal = noSeal): DelegationStore {
  return {
    all: () =>
      guarded(async () => openedHash(Delegation, seal, keys.delegations, await redis.hgetall(keys.delegations))),
    put: (delegation) =>
      guarded(async () => {
        const sealed = seal.seal(JSON.stringify(delegation), fieldOf(keys.delegations, delegation.from));
        await redis.hset(keys.delegations, delegation.from, sealed);
      }),
    remove: (from) => guarded(async () => void (await redis.hdel(keys.delegations, from))),
  };
}
