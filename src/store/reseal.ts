import { Cluster } from 'ioredis';
import { Fault } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import { type Connection, guarded } from './connection.ts';
import { alertPrefix, keys, root, runPrefix } from './keys.ts';
import { evenWhenFull, script } from './script.ts';
import { createSeal, fieldOf, keysOf, type Seal } from './seal.ts';

const swap = script(`${evenWhenFull}
local key = KEYS[1]
local field, before, after = unpack(ARGV)
if redis.call('HGET', key, field) ~= before then return 0 end
redis.call('HSET', key, field, after)
return 1`);

const atOnce = 500;

/** Every run and every alert group. No list has them all: what was set aside is due nowhere, and alerts are in none. */
async function eachRecord(redis: Connection, visit: (key: string) => Promise<void>): Promise<void> {
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    let cursor = '0';
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', `${root}:*`, 'COUNT', atOnce);
      cursor = next;
      await Promise.all(found.filter((key) => key.startsWith(runPrefix) || key.startsWith(alertPrefix)).map(visit));
    } while (cursor !== '0');
  }
}

/**
 * Seals anew what the newest key has not sealed: what a store without a key, or an older Shipmate, has left unsealed (while that is
 * still believed, ACCEPT_UNSEALED_UNTIL), and what an older key has sealed, so that it may be dropped. Events and what is in the
 * queues end by themselves within 30 days. What can't be opened stays as it is: whoever needs it says so.
 */
export const reseal = (redis: Connection, seal: Seal, log: Log): Promise<void> =>
  guarded(async () => {
    let count = 0;
    const left: string[] = [];
    const field = async (key: string, name: string, stored: string | null | undefined, about: string) => {
      if (!stored || seal.isNewest(stored)) return;
      try {
        count += Number(await swap(redis, [key], [name, stored, seal.seal(seal.open(stored, about), about)]));
      } catch (thrown) {
        if (!(thrown instanceof Fault)) throw thrown;
        left.push(about);
      }
    };
    for (const key of [keys.locks, keys.delegations])
      for (const [name, stored] of Object.entries(await redis.hgetall(key)))
        await field(key, name, stored, fieldOf(key, name));
    await eachRecord(redis, async (key) => {
      const [record, cancel, shown] = await redis.hmget(key, 'record', 'cancel', 'shown');
      await field(key, 'record', record, key);
      await field(key, 'cancel', cancel, fieldOf(key, 'cancel'));
      await field(key, 'shown', shown, fieldOf(key, 'shown'));
    });
    log.info({ count }, 'records without the newest seal were sealed');
    if (left.length > 0)
      log.warn({ left: left.slice(0, 20), count: left.length }, 'records that cannot be opened stay');
  });

/** The seal of this store, as the environment has it. Without a key it warns at the start: then anybody who reads Redis reads all. */
export async function startSeal(
  redis: Connection,
  env: { ENCRYPTION_KEY?: string | undefined; ACCEPT_UNSEALED_UNTIL?: number | undefined },
  log: Log,
): Promise<Seal> {
  const given = keysOf(env.ENCRYPTION_KEY);
  const seal = createSeal(given, env.ACCEPT_UNSEALED_UNTIL);
  const mend = 'Set ENCRYPTION_KEY (openssl rand -hex 32). Until then what holds secrets is refused (NOT_SEALED).';
  if (!seal.sealed)
    log.warn({ mend }, 'NOTHING IS SEALED: whoever reads Redis reads all, and whoever writes to it is believed');
  else if (env.ACCEPT_UNSEALED_UNTIL !== undefined || given.length > 1) await reseal(redis, seal, log);
  return seal;
}
