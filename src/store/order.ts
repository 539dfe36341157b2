import { Delegation } from '../core/approval.ts';
import { Lock } from '../core/lock.ts';
import type { DelegationStore, Line, LockStore, OrderStore, RunStore } from '../core/ports.ts';
import { type Connection, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { leftOut } from './records.ts';

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
        return (await Promise.all(ids.map((id) => runs.read(id).catch(leftOut)))).filter((run) => run !== undefined);
      }),
  };
}

/** A lock as the hash of all locks has it. */
export const parseLock = (lock: string): Lock => Lock.parse(JSON.parse(lock));

/** Locks, and the global stop, which is a lock of everything. */
export function createLockStore(redis: Connection): LockStore {
  return {
    all: () => guarded(async () => (await redis.hvals(keys.locks)).map(parseLock)),
    put: (lock) => guarded(async () => void (await redis.hset(keys.locks, lock.scope, JSON.stringify(lock)))),
    remove: (scope) => guarded(async () => void (await redis.hdel(keys.locks, scope))),
  };
}

/** Who decides for whom while away. Over ones stay until they are replaced; whoever reads looks at the time. */
export function createDelegationStore(redis: Connection): DelegationStore {
  return {
    all: () =>
      guarded(async () =>
        Object.values(await redis.hgetall(keys.delegations)).map((each) => Delegation.parse(JSON.parse(each))),
      ),
    put: (delegation) =>
      guarded(async () => void (await redis.hset(keys.delegations, delegation.from, JSON.stringify(delegation)))),
    remove: (from) => guarded(async () => void (await redis.hdel(keys.delegations, from))),
  };
}
