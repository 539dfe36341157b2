import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Commit, Lease, RunStore } from '../core/ports.ts';
import { isOver, Run, RunEvent } from '../core/run.ts';
import { guarded } from './connection.ts';
import { keys } from './keys.ts';
import { nowLua, script } from './script.ts';

const keepMs = 30 * 24 * 3_600_000;
const keepRequestMs = 24 * 3_600_000;
/** A run whose wake-up call got lost is looked at after this long. */
const lostCallMs = 2_000;
const keepEvents = 2_000;
const keepRecent = 10_000;

/**
 * Shared by create and commit: the events, the mark for the notifier, and the word to those who watch.
 * NX: what one notifier has claimed, or was told to send later, is not brought forward; `touched` brings it back after.
 */
const publishLua = `
local function publish(run, events, dirty, changed, id, list)
  for _, event in ipairs(cjson.decode(list)) do
    redis.call('XADD', events, 'MAXLEN', '~', ${keepEvents}, '*', 'event', event)
  end
  redis.call('HINCRBY', run, 'touched', 1)
  redis.call('ZADD', dirty, 'NX', now, 'run:' .. id)
  redis.call('PUBLISH', changed, 'run:' .. id)
end
`;

const create = script(`${nowLua}${publishLua}
local request, run, events, due, recent, dirty = unpack(KEYS)
local id, record, list, changed, hasKey = unpack(ARGV)
if hasKey == '1' then
  local known = redis.call('GET', request)
  if known then return known end
  redis.call('SET', request, id, 'PX', ${keepRequestMs})
end
redis.call('HSET', run, 'record', record, 'version', 1, 'epoch', 0)
redis.call('ZADD', due, now + ${lostCallMs}, id)
redis.call('ZADD', recent, now, id)
redis.call('ZREMRANGEBYRANK', recent, 0, -${keepRecent + 1})
publish(run, events, dirty, changed, id, list)
return id`);

const commit = script(`${nowLua}${publishLua}
local run, events, due, dirty = unpack(KEYS)
local id, record, version, epoch, look, list, changed = unpack(ARGV)
local stored = redis.call('HMGET', run, 'version', 'epoch')
if not stored[1] or tonumber(stored[1]) ~= tonumber(version) - 1 then
  if epoch ~= '' and stored[2] ~= epoch then return 'fenced' end
  return 'conflict'
end
if epoch ~= '' and stored[2] ~= epoch then return 'fenced' end
redis.call('HSET', run, 'record', record, 'version', version)
if look == 'over' then
  redis.call('ZREM', due, id)
  redis.call('PEXPIRE', run, ${keepMs})
elseif look == 'soon' then redis.call('ZADD', due, now + ${lostCallMs}, id)
elseif look ~= 'keep' then redis.call('ZADD', due, look, id) end
publish(run, events, dirty, changed, id, list)
if look == 'over' then redis.call('PEXPIRE', events, ${keepMs}) end
return 'ok'`);

/** Takes back a run that nobody has looked at yet. Sent whole, since nobody may be there any more to hear that its hash is unknown. */
const discardLua = `
local request, run, events, due, recent, dirty = unpack(KEYS)
local id, hasKey = unpack(ARGV)
if redis.call('HGET', run, 'epoch') ~= '0' then return 0 end
redis.call('DEL', run, events)
redis.call('ZREM', due, id)
redis.call('ZREM', recent, id)
redis.call('ZREM', dirty, 'run:' .. id)
if hasKey == '1' then redis.call('DEL', request) end
return 1`;

const lease = script(`${nowLua}
local run, due = unpack(KEYS)
local id, owner, ttl = unpack(ARGV)
local held = redis.call('HMGET', run, 'leaseUntil', 'record')
if not held[2] then return false end
if held[1] and tonumber(held[1]) > now then return false end
local epoch = redis.call('HINCRBY', run, 'epoch', 1)
local till = now + tonumber(ttl)
redis.call('HSET', run, 'owner', owner, 'leaseUntil', till)
if redis.call('ZSCORE', due, id) then redis.call('ZADD', due, till, id) end
return { epoch, held[2] }`);

/** GT: a later time, such as an approval's expiry, is never brought forward by a lease that is being let go. */
const renew = script(`${nowLua}
local run, due = unpack(KEYS)
local id, epoch, ttl = unpack(ARGV)
if redis.call('HGET', run, 'epoch') ~= epoch then return 0 end
local till = now + tonumber(ttl)
redis.call('HSET', run, 'leaseUntil', till)
redis.call('ZADD', due, 'XX', 'GT', till, id)
return 1`);

/** An open run that is let go unfinished is due at once; one that waits for a person keeps its expiry. */
const release = script(`${nowLua}
local run, due = unpack(KEYS)
local id, epoch = unpack(ARGV)
local held = redis.call('HMGET', run, 'epoch', 'leaseUntil')
if held[1] ~= epoch then return 0 end
redis.call('HDEL', run, 'leaseUntil', 'owner')
local at = redis.call('ZSCORE', due, id)
if at and held[2] and tonumber(at) <= tonumber(held[2]) then redis.call('ZADD', due, now, id) end
return 1`);

const claimDue = script(`${nowLua}
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), id) end
return ids`);

const Ids = z.array(z.string());

function nextLook({ run }: Commit, epoch: number | undefined): string | number {
  if (isOver(run.state)) return 'over';
  if (run.state === 'awaiting' && run.expiresAt !== undefined) return run.expiresAt;
  return epoch === undefined ? 'soon' : 'keep';
}

const eventList = (events: RunEvent[]) => JSON.stringify(events.map((event) => JSON.stringify(event)));
const parseRun = (record: string | null) => (record === null ? undefined : Run.parse(JSON.parse(record)));

/** Runs in Redis: the record of truth, its events, leases, and who must be looked at when. */
export function createRunStore(redis: Redis): RunStore {
  const read = async (id: string) => parseRun(await redis.hget(keys.run(id), 'record'));
  const takeLease = async (id: string, owner: string, ttlMs: number): Promise<Lease | undefined> => {
    const held = z
      .tuple([z.number(), z.string()])
      .nullable()
      .parse(await lease(redis, [keys.run(id), keys.due], [id, owner, ttlMs]));
    return held ? { epoch: held[0], run: Run.parse(JSON.parse(held[1])) } : undefined;
  };
  return {
    create: ({ run, events }, key) =>
      guarded(async () => {
        const names = [
          keys.request(key ?? ''),
          keys.run(run.id),
          keys.events(run.id),
          keys.due,
          keys.recent,
          keys.dirty,
        ];
        const args = [run.id, JSON.stringify(run), eventList(events), keys.changed, key === undefined ? '0' : '1'];
        const made = create(redis, names, args).catch((problem: unknown) => {
          // A command that timed out may still wait in Redis' queue and be done later: a run that nobody was told of.
          // This one waits right behind it.
          redis.eval(discardLua, names.length, ...names, run.id, key === undefined ? '0' : '1').catch(() => {});
          throw problem;
        });
        const id = z.string().parse(await made);
        if (id === run.id) return { run, created: true };
        return { run: (await read(id)) ?? run, created: false };
      }),
    read: (id) => guarded(() => read(id)),
    recent: (limit) =>
      guarded(async () => {
        const ids = await redis.zrevrange(keys.recent, 0, limit - 1);
        const records = await Promise.all(ids.map((id) => redis.hget(keys.run(id), 'record')));
        return records.flatMap((record) => parseRun(record) ?? []);
      }),
    commit: ({ run, events }, epoch) =>
      guarded(async () => {
        const names = [keys.run(run.id), keys.events(run.id), keys.due, keys.dirty];
        const look = nextLook({ run, events }, epoch);
        const args = [run.id, JSON.stringify(run), run.version, epoch ?? '', look, eventList(events), keys.changed];
        return z.enum(['ok', 'conflict', 'fenced']).parse(await commit(redis, names, args));
      }),
    events: (id, after, limit) =>
      guarded(async () => {
        const rows = await redis.xrange(keys.events(id), after === '' ? '-' : `(${after}`, '+', 'COUNT', limit);
        return rows.map(([row, fields]) => ({ id: row, event: RunEvent.parse(JSON.parse(fields[1] ?? '')) }));
      }),
    lease: (id, owner, ttlMs) => guarded(() => takeLease(id, owner, ttlMs)),
    renew: (held, ttlMs) =>
      guarded(async () => {
        const kept = await Promise.all(
          held.map(({ id, epoch }) => renew(redis, [keys.run(id), keys.due], [id, epoch, ttlMs])),
        );
        return held.filter((_, index) => kept[index] !== 1).map(({ id }) => id);
      }),
    release: (id, epoch) => guarded(async () => void (await release(redis, [keys.run(id), keys.due], [id, epoch]))),
    due: (limit, againMs) => guarded(async () => Ids.parse(await claimDue(redis, [keys.due], [limit, againMs]))),
    first: (key, ttlMs) => guarded(async () => (await redis.set(keys.seen(key), 1, 'PX', ttlMs, 'NX')) === 'OK'),
    ping: () => guarded(async () => void (await redis.ping())),
  };
}
