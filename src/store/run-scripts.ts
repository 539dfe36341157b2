import { runKeptMs } from '../core/lost-run.ts';
import { evenWhenFull, nowLua, script } from './script.ts';
import { leaveLua, touchLua } from './turn-scripts.ts';

/** The Lua behind runs.ts. Each changes a run, its events, its place in the queues and its audit entries at once, or nothing. */

export const keepRequestMs = 24 * 3_600_000;
/** A run whose wake-up call got lost is looked at after this long. */
export const lostCallMs = 2_000;
/** A run in a line is told when its turn comes; should that get lost, it looks by itself after this long. */
const lineMs = 15_000;
const keepEvents = 2_000;
const keepRecent = 10_000;
const keepHistory = 200;

/**
 * The events, the audit entries, the mark for the notifier, and the word to those who watch.
 * The events' texts stand in ARGV from `first` on, the audit entries' behind them.
 * NX: what one notifier has claimed, or was told to send later, is not brought forward; `touched` brings it back after.
 */
const publishLua = `
${touchLua}
local function publish(run, events, dirty, inbox, changed, id, count, first)
  for at = first, first + count - 1 do
    redis.call('XADD', events, 'MAXLEN', '~', ${keepEvents}, '*', 'event', ARGV[at])
  end
  local audits = {}
  for at = first + count, #ARGV do
    table.insert(audits, 'entry')
    table.insert(audits, ARGV[at])
  end
  if #audits > 0 then redis.call('XADD', inbox, '*', unpack(audits)) end
  touch(run, dirty, changed, id)
end
`;

export const create = script(`${nowLua}${publishLua}
local request, run, events, due, recent, dirty, inbox = unpack(KEYS)
local id, record, changed, hasKey, count = unpack(ARGV)
if hasKey == '1' then
  -- What a key once asked for may be forgotten before the key is; then it is asked for anew.
  local known = redis.call('GET', request)
  if known and redis.call('EXISTS', string.sub(run, 1, #run - #id) .. known) == 1 then return known end
  redis.call('SET', request, id, 'PX', ${keepRequestMs})
end
redis.call('HSET', run, 'record', record, 'version', 1, 'epoch', 0)
redis.call('ZADD', due, now + ${lostCallMs}, id)
redis.call('ZADD', recent, now, id)
redis.call('ZREMRANGEBYRANK', recent, 0, -${keepRecent + 1})
publish(run, events, dirty, inbox, changed, id, count, 6)
return id`);

/**
 * `took`, in ms, is how long a run was under way; the pace of a place is their moving average.
 * A run that somebody wants stopped, or said something to that it has not heard, waits for nothing: it is due at once,
 * whatever time it would be parked until.
 */
export const commit = script(`${evenWhenFull}${nowLua}${publishLua}${leaveLua}
local run, events, due, dirty, inbox, turn, line, history, pace, busy = unpack(KEYS)
local id, record, version, epoch, look, changed, place, stays, took, runPrefix, kept, further, count = unpack(ARGV)
local stored = redis.call('HMGET', run, 'version', 'epoch', 'cancel', 'steered', 'heard')
if not stored[1] or tonumber(stored[1]) ~= tonumber(version) - 1 then
  if epoch ~= '' and stored[2] ~= epoch then return 'fenced' end
  return 'conflict'
end
if epoch ~= '' and stored[2] ~= epoch then return 'fenced' end
redis.call('HSET', run, 'record', record, 'version', version)
if further == '1' then redis.call('HDEL', run, 'lost') end
if look == 'over' then
  redis.call('HSET', run, 'over', 1)
  redis.call('HDEL', run, 'leaseUntil', 'owner')
  redis.call('ZREM', due, id)
  redis.call('PEXPIRE', run, kept)
elseif look == 'aside' then
  -- Nobody looks at it until somebody says something to it; those who wait behind it learn of it.
  redis.call(stored[3] and 'ZADD' or 'ZREM', due, unpack(stored[3] and { now, id } or { id }))
  for _, other in ipairs(redis.call('ZRANGE', line, 0, -1)) do touch(runPrefix .. other, dirty, changed, other) end
elseif (stored[3] or tonumber(stored[4] or 0) > tonumber(stored[5] or 0)) and look ~= 'keep' then redis.call('ZADD', due, now, id)
elseif look == 'soon' then redis.call('ZADD', due, now + ${lostCallMs}, id)
elseif look == 'queued' then
  local next = not redis.call('GET', turn) and redis.call('ZRANGE', line, 0, 0)[1] == id
  redis.call('ZADD', due, next and now or now + ${lineMs}, id)
elseif look ~= 'keep' then redis.call('ZADD', due, look, id) end
if place ~= '' and stays == '0' then
  local held = redis.call('GET', turn) == id
  if held and look == 'over' then
    redis.call('LPUSH', history, id)
    redis.call('LTRIM', history, 0, ${keepHistory - 1})
    if took ~= '' then
      local before = tonumber(redis.call('HGET', pace, place) or took)
      redis.call('HSET', pace, place, math.floor(before * 0.7 + tonumber(took) * 0.3))
    end
  end
  leave(turn, line, due, dirty, busy, changed, place, runPrefix, id)
end
publish(run, events, dirty, inbox, changed, id, count, 14)
if look == 'over' then redis.call('PEXPIRE', events, kept) end
return 'ok'`);

/** Takes back a run that nobody has looked at yet. Sent whole, since nobody may be there any more to hear that its hash is unknown. */
export const discardLua = `
local request, run, events, due, recent, dirty = unpack(KEYS)
local id, hasKey = unpack(ARGV)
if redis.call('HGET', run, 'epoch') ~= '0' then return 0 end
redis.call('DEL', run, events)
redis.call('ZREM', due, id)
redis.call('ZREM', recent, id)
redis.call('ZREM', dirty, 'run:' .. id)
if hasKey == '1' then redis.call('DEL', request) end
return 1`;

/** A worker that is heard of under a lease that ran out was not lost itself. */
const heardLua = `
local function heard(run, epoch)
  local lost = redis.call('HGET', run, 'lost')
  if not lost then return end
  local rest = string.gsub(' ' .. lost, ' ' .. epoch .. ' ', ' ')
  redis.call('HSET', run, 'lost', string.sub(rest, 2))
end
`;

/** How long it is remembered which run a worker had on trial: until all that it held is taken up by others. */
const trialKeptMs = 600_000;

/**
 * `lost` holds the epochs whose lease ran out: whoever had it neither ended its lap nor let go, so that worker was killed, or hangs.
 * One that was lost with a run on trial is that run's loss alone, and not that of those which lived through theirs.
 * GT: a later time, such as an approval's expiry, is never brought forward by a lease, taken, prolonged or let go.
 */
export const lease = script(`${evenWhenFull}${nowLua}
local run, due, locks = unpack(KEYS)
local id, owner, ttl, suspects, trials = unpack(ARGV)
local held = redis.call('HMGET', run, 'leaseUntil', 'record', 'cancel', 'epoch', 'lost', 'owner')
if not held[2] then return false end
if held[1] and tonumber(held[1]) > now then return false end
local tried = held[1] and redis.call('GET', trials .. (held[6] or ''))
local died = held[1] and (not tried or tried == id)
local lost = (held[5] or '') .. (died and held[4] .. ' ' or '')
if lost ~= '' and suspects == '0' then return 'suspect' end
if died then redis.call('HSET', run, 'lost', lost) end
if lost ~= '' then redis.call('SET', trials .. owner, id, 'PX', ${trialKeptMs}) end
local epoch = redis.call('HINCRBY', run, 'epoch', 1)
local till = now + tonumber(ttl)
redis.call('HSET', run, 'owner', owner, 'leaseUntil', till)
redis.call('ZADD', due, 'XX', 'GT', till, id)
local _, count = string.gsub(lost, ' ', ' ')
return { epoch, held[2], held[3] or '', redis.call('HGETALL', locks), count }`);

/** The run has lived through its trial. */
export const acquit = script(`${evenWhenFull}
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);

/** Answers with 0 where the lease is lost, else with the wish that the run stop, if somebody has it, and how often it was steered. */
export const renew = script(`${evenWhenFull}${nowLua}${heardLua}
local run, due = unpack(KEYS)
local id, epoch, ttl = unpack(ARGV)
local held = redis.call('HMGET', run, 'epoch', 'cancel', 'steered')
if held[1] ~= epoch then heard(run, epoch) return 0 end
local till = now + tonumber(ttl)
redis.call('HSET', run, 'leaseUntil', till)
redis.call('ZADD', due, 'XX', 'GT', till, id)
return { held[2] or '', tonumber(held[3] or 0) }`);

/** An open run that is let go unfinished is due at once; one that waits for a person keeps its time. */
export const release = script(`${evenWhenFull}${nowLua}${heardLua}
local run, due = unpack(KEYS)
local id, epoch = unpack(ARGV)
local held = redis.call('HMGET', run, 'epoch', 'leaseUntil')
if held[1] ~= epoch then heard(run, epoch) return 0 end
redis.call('HDEL', run, 'leaseUntil', 'owner')
local at = redis.call('ZSCORE', due, id)
if at and held[2] and tonumber(at) <= tonumber(held[2]) then redis.call('ZADD', due, now, id) end
return 1`);

/** The first wish counts. Whoever holds the run hears of it when prolonging the lease; in any case somebody looks at once. */
export const cancel = script(`${evenWhenFull}${nowLua}${publishLua}
local run, events, due, dirty, inbox = unpack(KEYS)
local id, wish, changed, count = unpack(ARGV)
local held = redis.call('HMGET', run, 'version', 'over')
if not held[1] then return 'unknown' end
if held[2] then return 'over' end
if redis.call('HSETNX', run, 'cancel', wish) == 0 then return 'again' end
redis.call('ZADD', due, now, id)
publish(run, events, dirty, inbox, changed, id, count, 5)
return 'ok'`);

/** Numbered in the order in which they come; somebody looks at the run at once. */
export const steer = script(`${evenWhenFull}${nowLua}${publishLua}
local run, steers, events, due, dirty, inbox = unpack(KEYS)
local id, said, changed, key, count = unpack(ARGV)
local held = redis.call('HMGET', run, 'version', 'over')
if not held[1] then return 'unknown' end
if held[2] then return 'over' end
if key ~= '' and redis.call('HSETNX', run, 'steer:' .. key, 1) == 0 then return 'again' end
local n = redis.call('HINCRBY', run, 'steered', 1)
redis.call('RPUSH', steers, n .. ':' .. said)
redis.call('PEXPIRE', steers, ${runKeptMs})
redis.call('ZADD', due, now, id)
publish(run, events, dirty, inbox, changed, id, count, 6)
return 'ok'`);

/** All that was said to a run; what was read counts as heard. */
export const steersOf = script(`${evenWhenFull}
local run, steers = unpack(KEYS)
local list = redis.call('LRANGE', steers, 0, -1)
if #list > 0 then redis.call('HSET', run, 'heard', #list) end
return list`);

export const claimDue = script(`${evenWhenFull}${nowLua}
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), id) end
return ids`);
