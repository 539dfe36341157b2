import { z } from 'zod';
import type { InboxStore } from '../core/ports.ts';
import { type Connection, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { evenWhenFull, nowLua, script } from './script.ts';
import { noSeal, type Seal } from './seal.ts';

/** Keeps what comes for the first time; what came before is not kept a second time, also when it is over. */
const put = script(`local inbox, due, seen = unpack(KEYS)
local id, record, again, ttl = unpack(ARGV)
${nowLua}
if not redis.call('SET', seen, 1, 'PX', ttl, 'NX') then return 0 end
redis.call('HSET', inbox, id, record)
redis.call('ZADD', due, now + again, id)
return 1`);

/** Hands out what is due, to one caller each. */
const claim = script(`${evenWhenFull}local inbox, due = unpack(KEYS)
${nowLua}
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 10)) do
  redis.call('ZADD', due, now + ARGV[1], id)
  local record = redis.call('HGET', inbox, id)
  if record then table.insert(found, id); table.insert(found, record) else redis.call('ZREM', due, id) end
end
return found`);

const drop = script(`${evenWhenFull}redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])`);

/** Requests that take a while to be read, kept meanwhile: see `InboxStore`. */
export function createInbox(redis: Connection, { seal, open }: Seal = noSeal): InboxStore {
  const about = (id: string) => `${keys.inbox}:${id}`;
  return {
    put: (id, record, { againMs, rememberMs }) =>
      guarded(async () => {
        const args = [id, seal(record, about(id)), againMs, rememberMs];
        return (await put(redis, [keys.inbox, keys.inboxDue, keys.seen(id)], args)) === 1;
      }),
    due: (againMs) =>
      guarded(async () => {
        const found = z.array(z.string()).parse(await claim(redis, [keys.inbox, keys.inboxDue], [againMs]));
        return found.flatMap((id, index) =>
          index % 2 === 0 ? [{ id, record: open(found[index + 1] ?? '', about(id)) }] : [],
        );
      }),
    drop: (id) => guarded(async () => void (await drop(redis, [keys.inbox, keys.inboxDue], [id]))),
  };
}
