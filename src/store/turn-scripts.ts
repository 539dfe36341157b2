import { evenWhenFull, nowLua, script } from './script.ts';

/** The Lua about turns: one run at a time at a place, the others in line. */

/** NX: what one notifier has claimed, or was told to send later, is not brought forward; `touched` brings it back after. */
export const touchLua = `
local function touch(run, dirty, changed, id)
  redis.call('HINCRBY', run, 'touched', 1)
  redis.call('ZADD', dirty, 'NX', now, 'run:' .. id)
  redis.call('PUBLISH', changed, 'run:' .. id)
end
`;

const goneLua = `
local function gone(runPrefix, other)
  local state = redis.call('HMGET', runPrefix .. other, 'version', 'over')
  return not state[1] or state[2]
end
`;

/** Lets go of a turn or a place in line, and tells those who wait. A turn that was lent goes back to its lender. */
export const leaveLua = `${goneLua}
local function leave(turn, line, due, dirty, busy, changed, place, runPrefix, id)
  local left = redis.call('ZREM', line, id)
  if redis.call('GET', turn) == id then
    local lender = redis.call('HGET', runPrefix .. id, 'lender')
    if lender and not gone(runPrefix, lender) then
      redis.call('SET', turn, lender)
    else
      left = left + redis.call('DEL', turn)
    end
  end
  if left == 0 then return end
  local waiting = redis.call('ZRANGE', line, 0, -1)
  local free = not redis.call('GET', turn)
  if not waiting[1] and free then redis.call('SREM', busy, place) end
  for at, other in ipairs(waiting) do
    -- Behind a turn that is shared it may be anybody's.
    if at == 1 or not free then redis.call('ZADD', due, now, other) end
    touch(runPrefix .. other, dirty, changed, other)
  end
end
`;

export const leaveTurn = script(`${evenWhenFull}${nowLua}${touchLua}${leaveLua}
local turn, line, due, dirty, busy = unpack(KEYS)
local id, place, runPrefix, changed = unpack(ARGV)
leave(turn, line, due, dirty, busy, changed, place, runPrefix, id)
return 1`);

/**
 * Answers with the runs before this one at its place; with none, the turn is its own. A turn whose run is over or gone is free.
 * A part takes the turn that its `lender` has.
 * Tickets keep the order; what goes first gets one below all ordinary ones.
 */
export const takeTurn = script(`${evenWhenFull}
local turn, line, tickets, busy = unpack(KEYS)
local id, place, first, runPrefix, lender = unpack(ARGV)
${goneLua}
local holder = redis.call('GET', turn)
if holder == id then return {} end
-- What it has lent to a part is its own still.
if holder and redis.call('HGET', runPrefix .. holder, 'lender') == id then return {} end
if holder and holder == lender then
  redis.call('SET', turn, id)
  redis.call('HSET', runPrefix .. id, 'lender', lender)
  return {}
end
if holder and gone(runPrefix, holder) then redis.call('DEL', turn); holder = false end
if not redis.call('ZSCORE', line, id) then
  local ticket = redis.call('INCR', tickets)
  redis.call('ZADD', line, first == '1' and ticket - 1e12 or ticket, id)
end
redis.call('SADD', busy, place)
local before = holder and { holder } or {}
for _, other in ipairs(redis.call('ZRANGE', line, 0, redis.call('ZRANK', line, id))) do
  if other ~= id then
    if gone(runPrefix, other) then redis.call('ZREM', line, other) else table.insert(before, other) end
  end
end
if #before > 0 then return before end
redis.call('SET', turn, id)
redis.call('ZREM', line, id)
return {}`);
