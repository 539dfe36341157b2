import type { Log } from '../core/ports.ts';
import { type Connection, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { evenWhenFull, script } from './script.ts';
import { createSeal, fieldOf, keysOf, type Seal } from './seal.ts';

const swap = script(`${evenWhenFull}
local key = KEYS[1]
local field, before, after = unpack(ARGV)
if redis.call('HGET', key, field) ~= before then return 0 end
redis.call('HSET', key, field, after)
return 1`);

/**
 * Seals what a store without a key, or an older Shipmate, has left unsealed: locks, delegations, runs. Called while that is still
 * believed (ACCEPT_UNSEALED_UNTIL). Events and what is in the queues end by themselves within 30 days.
 */
export const reseal = (redis: Connection, seal: Seal, log: Log): Promise<void> =>
  guarded(async () => {
    let count = 0;
    const field = async (key: string, name: string, stored: string | null | undefined, about: string) => {
      if (!stored || stored.startsWith('sealed:')) return;
      count += Number(await swap(redis, [key], [name, stored, seal.seal(seal.open(stored, about), about)]));
    };
    for (const key of [keys.locks, keys.delegations])
      for (const [name, stored] of Object.entries(await redis.hgetall(key)))
        await field(key, name, stored, fieldOf(key, name));
    const [recent, waiting] = await Promise.all([keys.recent, keys.due].map((key) => redis.zrange(key, '0', '-1')));
    // What waits for a person or a time may be older than the newest ten thousand.
    for (const id of new Set([...(recent ?? []), ...(waiting ?? [])])) {
      const key = keys.run(id);
      const [record, cancel, shown] = await redis.hmget(key, 'record', 'cancel', 'shown');
      await field(key, 'record', record, key);
      await field(key, 'cancel', cancel, fieldOf(key, 'cancel'));
      await field(key, 'shown', shown, fieldOf(key, 'shown'));
    }
    log.info({ count }, 'records without a seal were sealed');
  });

/** The seal of this store, as the environment has it. Without a key it warns at the start: then anybody who reads Redis reads all. */
export async function startSeal(
  redis: Connection,
  env: { ENCRYPTION_KEY?: string | undefined; ACCEPT_UNSEALED_UNTIL?: number | undefined },
  log: Log,
): Promise<Seal> {
  const seal = createSeal(keysOf(env.ENCRYPTION_KEY), env.ACCEPT_UNSEALED_UNTIL);
  const mend = 'Set ENCRYPTION_KEY (openssl rand -hex 32). Until then what holds secrets is refused (NOT_SEALED).';
  if (!seal.sealed)
    log.warn({ mend }, 'NOTHING IS SEALED: whoever reads Redis reads all, and whoever writes to it is believed');
  else if (env.ACCEPT_UNSEALED_UNTIL !== undefined) await reseal(redis, seal, log);
  return seal;
}
