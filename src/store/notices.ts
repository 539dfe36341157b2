import { z } from 'zod';
import { AlertGroup } from '../core/alert.ts';
import type { AlertStore, NoticeStore, Subject } from '../core/notices.ts';
import { Shown } from '../core/shown.ts';
import { type Connection, connectListener, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { asStored } from './readable.ts';
import { evenWhenFull, nowLua, script } from './script.ts';
import { fieldOf, noSeal, type Seal } from './seal.ts';

const keepAlertMs = 7 * 24 * 3_600_000;

const claim = script(`${evenWhenFull}${nowLua}
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]), 'LIMIT', 0, ARGV[1])
for _, member in ipairs(members) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), member) end
return members`);

/** Only what was shown is done with: a subject touched since the claim is due again at once. */
const done = script(`${evenWhenFull}${nowLua}
local subject, dirty = unpack(KEYS)
local member, touched, shown = unpack(ARGV)
if redis.call('EXISTS', subject) == 0 then return redis.call('ZREM', dirty, member) end
if shown ~= '' then redis.call('HSET', subject, 'shown', shown) end
if redis.call('HGET', subject, 'touched') == touched then return redis.call('ZREM', dirty, member) end
return redis.call('ZADD', dirty, now, member)`);

const later = script(`${evenWhenFull}${nowLua}
local subject, dirty = unpack(KEYS)
local member, ms, shown = unpack(ARGV)
if shown ~= '' and redis.call('EXISTS', subject) == 1 then redis.call('HSET', subject, 'shown', shown) end
return redis.call('ZADD', dirty, now + tonumber(ms), member)`);

const keep = script(`${evenWhenFull}
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'shown', ARGV[1]) end
return 1`);

const put = script(`${nowLua}
redis.call('HSET', KEYS[1], 'record', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${keepAlertMs})
redis.call('HINCRBY', KEYS[1], 'touched', 1)
redis.call('ZADD', KEYS[2], 'NX', now, ARGV[2])
return redis.call('PUBLISH', ARGV[3], ARGV[2])`);

const memberOf = ({ kind, id }: Subject) => `${kind}:${id}`;
const keyOf = ({ kind, id }: Subject) => (kind === 'run' ? keys.run(id) : keys.alert(id));

function subjectOf(member: string): Subject {
  const [kind, id] = [member.slice(0, member.indexOf(':')), member.slice(member.indexOf(':') + 1)];
  return { kind: kind === 'alert' ? 'alert' : 'run', id };
}

/** Which messages in Slack no longer show the truth. */
export function createNoticeStore(redis: Connection, seal: Seal = noSeal): NoticeStore {
  const about = (subject: Subject) => fieldOf(keyOf(subject), 'shown');
  const textOf = (subject: Subject, shown: Shown | undefined) =>
    shown ? seal.seal(JSON.stringify(shown), about(subject)) : '';
  return {
    claim: (limit, againMs, overdueMs) =>
      guarded(async () => {
        const members = z.array(z.string()).parse(await claim(redis, [keys.dirty], [limit, againMs, overdueMs]));
        const subjects = members.map(subjectOf);
        const touched = await Promise.all(subjects.map((subject) => redis.hget(keyOf(subject), 'touched')));
        return subjects.map((subject, index) => ({ subject, touched: Number(touched[index] ?? 0) }));
      }),
    shown: (subject) =>
      guarded(async () => {
        const shown = await redis.hget(keyOf(subject), 'shown');
        return shown === null ? undefined : asStored(Shown, seal.open(shown, about(subject)), about(subject));
      }),
    keep: (subject, shown) =>
      guarded(async () => {
        await keep(redis, [keyOf(subject)], [textOf(subject, shown)]);
      }),
    done: (subject, touched, shown: Shown | undefined) =>
      guarded(async () => {
        await done(redis, [keyOf(subject), keys.dirty], [memberOf(subject), touched, textOf(subject, shown)]);
      }),
    later: (subject, ms, shown) =>
      guarded(async () => {
        await later(redis, [keyOf(subject), keys.dirty], [memberOf(subject), ms, textOf(subject, shown)]);
      }),
    watch: async (wake) => {
      // Subscribing takes the connection over, so it gets one of its own. A lost message costs a second, not the truth.
      const listener = connectListener(redis);
      listener.on('error', () => {});
      listener.on('message', (_channel, member: string) => wake(subjectOf(member)));
      await listener.subscribe(keys.changed);
      // Not `quit`: with Redis away that would wait for it.
      return async () => listener.disconnect();
    },
  };
}

/** Groups of alerts, kept for a week. */
export function createAlertStore(redis: Connection, seal: Seal = noSeal): AlertStore {
  return {
    put: (group) =>
      guarded(async () => {
        const member = memberOf({ kind: 'alert', id: group.id });
        const record = seal.seal(JSON.stringify(group), keys.alert(group.id));
        await put(redis, [keys.alert(group.id), keys.dirty], [record, member, keys.changed]);
      }),
    read: (id) =>
      guarded(async () => {
        const record = await redis.hget(keys.alert(id), 'record');
        return record === null ? undefined : asStored(AlertGroup, seal.open(record, keys.alert(id)), keys.alert(id));
      }),
  };
}
