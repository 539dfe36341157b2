import { z } from 'zod';
import { placeKey } from '../core/lock.ts';
import { runKeptMs } from '../core/lost-run.ts';
import { siteOf } from '../core/place.ts';
import type { Commit, RunStore } from '../core/ports.ts';
import { isOver, keepsTurn, type Run } from '../core/run.ts';
import { type Connection, guarded } from './connection.ts';
import { createInbox } from './inbox.ts';
import { keys, runPrefix } from './keys.ts';
import { leftOut } from './readable.ts';
import { letIn } from './reads.ts';
import { createRecords } from './records.ts';
import { createRunLeases } from './run-leases.ts';
import * as lua from './run-scripts.ts';
import { nowLua, script } from './script.ts';
import { noSeal, type Seal } from './seal.ts';

function nextLook({ run }: Commit, epoch: number | undefined): string | number {
  if (isOver(run.state)) return 'over';
  if (run.state === 'queued') return 'queued';
  if (run.state === 'set-aside') return 'aside';
  const look = run.wakeAt ?? (run.state === 'awaiting' ? run.expiresAt : undefined);
  if (look !== undefined) return look;
  return epoch === undefined ? 'soon' : 'keep';
}

/** What the scripts answer with. Made once: making a schema costs more than using it. */
const Made = z.string();
const Committed = z.enum(['ok', 'conflict', 'fenced']);
const Asked = z.enum(['ok', 'again', 'over', 'unknown']);

const placeOf = (run: Run) => {
  const where = siteOf(run);
  return where ? placeKey(where) : '';
};
const tookMs = ({ state, startedAt, updatedAt }: Run) =>
  state === 'finished' && startedAt !== undefined ? updatedAt - startedAt : '';

const within = script(`${nowLua}
local id, limit, window = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(window))
if redis.call('ZSCORE', KEYS[1], id) then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(limit) then return 0 end
redis.call('ZADD', KEYS[1], now, id)
redis.call('PEXPIRE', KEYS[1], window)
return 1`);

/** Runs in Redis: the record of truth, its events, leases, and who must be looked at when. */
export function createRunStore(redis: Connection, seal: Seal = noSeal): RunStore {
  const { sealed, opened, told, openedEvent, ...records } = createRecords(seal);
  const read = async (id: string) => {
    const record = await redis.hget(keys.run(id), 'record');
    return record === null ? undefined : opened(id, record);
  };
  return {
    ...createRunLeases(redis, { ...records, opened }, seal),
    sealed: seal.sealed,
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
        const hasKey = key === undefined ? '0' : '1';
        const news = told({ run, events });
        const args = [run.id, sealed(run), keys.changed, hasKey, ...news];
        const made = lua.create(redis, [...names, keys.auditInbox], args).catch((problem: unknown) => {
          // A command that timed out may still wait in Redis' queue and be done later: a run that nobody was told of.
          // This one waits right behind it.
          redis.eval(lua.discardLua, names.length, ...names, run.id, hasKey).catch(() => {});
          throw problem;
        });
        const id = Made.parse(await made);
        if (id === run.id) return { run, created: true };
        return { run: (await read(id)) ?? run, created: false };
      }),
    read: (id) => guarded(() => read(id)),
    recent: (limit) =>
      guarded(async () => {
        const ids = await redis.zrevrange(keys.recent, 0, limit - 1);
        return (await Promise.all(ids.map((id) => read(id).catch(leftOut)))).filter((run) => run !== undefined);
      }),
    commit: ({ run, events, keptMs = runKeptMs, further = false }, epoch) =>
      guarded(async () => {
        const place = placeOf(run);
        const names = [keys.run(run.id), keys.events(run.id), keys.due, keys.dirty, keys.auditInbox, keys.turn(place)];
        const line = [keys.line(place), keys.history(place), keys.pace, keys.busy];
        const args = [
          run.id,
          sealed(run),
          run.version,
          epoch ?? '',
          nextLook({ run, events }, epoch),
          keys.changed,
          place,
          keepsTurn(run) ? '1' : '0',
          tookMs(run),
          runPrefix,
          keptMs,
          further ? '1' : '0',
          ...told({ run, events }),
        ];
        return Committed.parse(await lua.commit(redis, [...names, ...line], args));
      }),
    cancel: (run, wish) =>
      guarded(async () => {
        const text = `stop asked for${wish.reason === undefined ? '' : `: ${wish.reason}`}`;
        const names = [keys.run(run.id), keys.events(run.id), keys.due, keys.dirty, keys.auditInbox];
        const asked = { run, events: [{ ...wish, kind: 'cancel' as const, text }] };
        const args = [run.id, records.sealedCancel(run.id, wish), keys.changed, ...told(asked)];
        return Asked.parse(await lua.cancel(redis, names, args));
      }),
    steer: (run, { actor, at, wish }, text, key = '') =>
      guarded(async () => {
        const names = [
          keys.run(run.id),
          keys.steers(run.id),
          keys.events(run.id),
          keys.due,
          keys.dirty,
          keys.auditInbox,
        ];
        const said = records.sealedSteer(run.id, { at, actor, wish });
        const asked = { run, events: [{ at, kind: 'steer' as const, text, actor }] };
        return Asked.parse(await lua.steer(redis, names, [run.id, said, keys.changed, key, ...told(asked)]));
      }),
    steers: (id) =>
      guarded(async () => {
        const said = Made.array().parse(await lua.steersOf(redis, [keys.run(id), keys.steers(id)], []));
        return records.openedSteers(id, said);
      }),
    events: (id, after, limit) =>
      guarded(async () => {
        const rows = await redis.xrange(keys.events(id), after === '' ? '-' : `(${after}`, '+', 'COUNT', limit);
        return rows.map(([row, fields]) => ({
          id: row,
          event: openedEvent(id, fields[1] ?? ''),
        }));
      }),
    within: (key, id, limit, windowMs) =>
      guarded(async () => (await within(redis, [keys.rate(key)], [id, limit, windowMs])) === 1),
    first: (key, ttlMs) => guarded(async () => (await redis.set(keys.seen(key), 1, 'PX', ttlMs, 'NX')) === 'OK'),
    letIn: (who, ids, limits) => guarded(() => letIn(redis, who, ids, limits)),
    inbox: createInbox(redis, seal),
    ping: () => guarded(async () => void (await redis.ping())),
  };
}
