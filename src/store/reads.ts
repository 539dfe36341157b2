import { z } from 'zod';
import type { RunStore } from '../core/ports.ts';
import type { Connection } from './connection.ts';
import { eventsPrefix, keys, runPrefix } from './keys.ts';
import { evenWhenFull, nowLua, script } from './script.ts';

const minuteMs = 60_000;
/** Between being let in and being stored a question has no record yet. */
const enterMs = 10_000;
/** What is over is not forgotten before: somebody may be about to fetch it. */
const leastKeptMs = minuteMs;
/** However short they are: all of them are looked at with each new one. */
const mostKept = 200;

/** Whether a question is under way says its own record; so a killed worker leaves no count behind. */
const enter = script(`${evenWhenFull}${nowLua}
local reads = KEYS[1]
local perMinute, atOnce, bytes, kept, runs, streams = unpack(ARGV)
local lately, open, over, size = 0, 0, 0, 0
local function forget(id)
  redis.call('DEL', runs .. id, streams .. id)
  redis.call('ZREM', reads, id)
end
local function streamBytes(id)
  local found = redis.pcall('MEMORY', 'USAGE', streams .. id)
  return type(found) == 'number' and found or 0
end
local known = redis.call('ZREVRANGE', reads, 0, -1, 'WITHSCORES')
for n = 1, #known, 2 do
  local id, age = known[n], now - tonumber(known[n + 1])
  if age < ${minuteMs} then lately = lately + 1 end
  local held = redis.call('HMGET', runs .. id, 'version', 'over')
  if not held[1] then
    if age < ${enterMs} then open = open + 1 elseif age >= ${minuteMs} then redis.call('ZREM', reads, id) end
  elseif not held[2] then open = open + 1
  else
    over = over + 1
    size = size + redis.call('HSTRLEN', runs .. id, 'record') + streamBytes(id)
    if (over > ${mostKept} or size > tonumber(bytes)) and age >= ${leastKeptMs} then forget(id) end
  end
end
if lately >= tonumber(perMinute) then return 'too-fast' end
if open >= tonumber(atOnce) then return 'too-many' end
for n = 7, #ARGV do redis.call('ZADD', reads, now, ARGV[n]) end
redis.call('PEXPIRE', reads, kept)
return 'ok'`);

const Entered = z.enum(['ok', 'too-fast', 'too-many']);

/** Lets questions of one person in, and forgets old answers of theirs: see `RunStore`. */
export async function letIn(redis: Connection, ...[who, ids, limits]: Parameters<RunStore['letIn']>) {
  const { perMinute, atOnce, bytes, keptMs } = limits;
  const args = [perMinute, atOnce, bytes, keptMs, runPrefix, eventsPrefix, ...ids];
  return Entered.parse(await enter(redis, [keys.reads(who)], args));
}
