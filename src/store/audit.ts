import { z } from 'zod';
import { AuditEntry, AuditHead, AuditRecord, beforeFirst, chain, unreadable } from '../core/audit.ts';
import { Fault } from '../core/errors.ts';
import { digestOf } from '../core/json.ts';
import type { AuditStore, Log, SetupWarning } from '../core/ports.ts';
import { type Connection, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { parsed } from './readable.ts';
import { evenWhenFull, script } from './script.ts';
import { noSeal, type Seal } from './seal.ts';

/** Sealed in portions of this many. */
const portion = 500;
/** Kept in Redis; a file (AUDIT_FILE) keeps them all. */
const keepRecords = 200_000;

/** What could not be read is kept so long, and so much of each. */
const keepAside = 1_000;
const mostAside = 65_536;

/** Hangs records behind the head that they were made for, and puts aside what is none; with another head it does nothing. */
const append = script(`${evenWhenFull}
local inbox, chain, head, aside = unpack(KEYS)
local seq, hash, ids, records, asides, seal = unpack(ARGV)
local stored = redis.call('HMGET', head, 'seq', 'hash')
if (stored[1] or '0') ~= seq or (stored[2] or hash) ~= hash then return 0 end
for _, record in ipairs(cjson.decode(records)) do
  redis.call('XADD', chain, 'MAXLEN', '~', ${keepRecords}, record[1] .. '-1', 'record', record[3])
  redis.call('HSET', head, 'seq', record[1], 'hash', record[2])
end
for _, each in ipairs(cjson.decode(asides)) do
  redis.call('XADD', aside, 'MAXLEN', '~', ${keepAside}, '*', 'problem', each[1], 'entry', each[2])
end
if seal ~= '' then redis.call('HSET', head, 'seal', seal) else redis.call('HDEL', head, 'seal') end
redis.call('XDEL', inbox, unpack(cjson.decode(ids)))
return 1`);

/** A record of the chain; where it cannot be read one that says so, which the check of the chain then finds. */
function recordOf([id, fields]: [string, string[]]): AuditRecord {
  const found = parsed(AuditRecord, fields[1] ?? '');
  if ('is' in found) return found.is;
  const text = `this record cannot be read: ${found.problem}`;
  return { ...unreadable(0, text), seq: Number(id.split('-')[0]), prev: '', hash: '' };
}

/** The same of a text that bears a seal; one that does not open is no more believed than one that is malformed. */
function opened<Schema extends z.ZodType>(schema: Schema, text: string, open: (text: string) => string) {
  try {
    return parsed(schema, open(text));
  } catch (thrown) {
    if (thrown instanceof Fault) return { problem: thrown.message };
    throw thrown;
  }
}

type Aside = { problem: string; text: string };

/** What waits in the inbox, as entries. What is none is told of by an entry in its place, so that all behind it goes on. */
function entriesOf(
  waiting: readonly [string, string[]][],
  open: (text: string) => string,
): { entries: AuditEntry[]; asides: Aside[] } {
  const asides: Aside[] = [];
  const entries = waiting.flatMap(([id, fields]) =>
    fields
      .filter((_, index) => index % 2 === 1)
      .map((text) => {
        const found = opened(AuditEntry, text, open);
        if ('is' in found) return found.is;
        const { problem } = found;
        asides.push({ problem, text: text.slice(0, mostAside) });
        const told = `what came here is no entry, and was set aside: ${problem}; its SHA-256 is ${digestOf(text)}`;
        return unreadable(Number(id.split('-')[0]), told);
      }),
  );
  return { entries, asides };
}

/**
 * The audit log. Entries get into an inbox in the same script as the change they are about; from there they are chained
 * by SHA-256, which Redis' Lua lacks, a moment later.
 */
export function createAuditStore(redis: Connection, seal: Seal = noSeal, log?: Pick<Log, 'error'>): AuditStore {
  const sealedHead = ({ seq, hash }: AuditHead) => (seal.sealed ? seal.seal(`${seq} ${hash}`, keys.auditHead) : '');
  /** With the head sealed nobody else can have written any record that leads to it. */
  const checkHead = (stored: AuditHead, sealed: string) => {
    const text = `${stored.seq} ${stored.hash}`;
    if (!seal.sealed || (sealed !== '' && seal.open(sealed, keys.auditHead) === text)) return stored;
    // An older Shipmate that chains beside this one leaves the seal of the head before: until the day that was named, it counts as none.
    seal.open(text, keys.auditHead);
    return stored;
  };
  const head = async (): Promise<AuditHead> => {
    const [seq, hash, sealed] = await redis.hmget(keys.auditHead, 'seq', 'hash', 'seal');
    return seq && hash ? checkHead(AuditHead.parse({ seq: Number(seq), hash }), sealed ?? '') : beforeFirst;
  };
  return {
    add: (entry) =>
      guarded(async () => {
        const entryText = JSON.stringify(AuditEntry.parse(entry));
        await redis.xadd(keys.auditInbox, '*', 'entry', seal.seal(entryText, keys.auditInbox));
      }),
    seal: () =>
      guarded(async () => {
        // The head first: what is in the inbox after it was read is not part of a chain that ends there.
        const from = await head();
        const waiting = await redis.xrange(keys.auditInbox, '-', '+', 'COUNT', portion);
        if (waiting.length === 0) return 0;
        const { entries, asides } = entriesOf(waiting, (text) => seal.open(text, keys.auditInbox));
        const records = chain(from, entries);
        const rows = records.map((record) => [String(record.seq), record.hash, JSON.stringify(record)]);
        const aside = asides.map(({ problem, text }) => [problem, text]);
        const ids = waiting.map(([id]) => id);
        const lists = [ids, rows, aside].map((each) => JSON.stringify(each));
        const args = [String(from.seq), from.hash, ...lists, sealedHead(records.at(-1) ?? from)];
        const names = [keys.auditInbox, keys.auditChain, keys.auditHead, keys.auditAside];
        if (z.number().parse(await append(redis, names, args)) !== 1) return 0;
        for (const { problem } of asides) log?.error({ problem }, 'an audit entry could not be read and was set aside');
        return records.length;
      }),
    head: () => guarded(head),
    read: ({ after = 0, newest = false, limit }) =>
      guarded(async () => {
        if (newest) return (await redis.xrevrange(keys.auditChain, '+', '-', 'COUNT', limit)).map(recordOf).reverse();
        return (await redis.xrange(keys.auditChain, `${after + 1}-0`, '+', 'COUNT', limit)).map(recordOf);
      }),
  };
}

/** Whether anything was set aside that somebody ought to look at. */
export async function asideWarnings(redis: Connection): Promise<SetupWarning[]> {
  const count = await redis.xlen(keys.auditAside);
  if (count === 0) return [];
  return [
    {
      problem: `${count} entries of the audit log could not be read and were set aside; the log says so where they would stand.`,
      mend: `See what they are with XRANGE ${keys.auditAside} - +, find out who wrote them, then DEL ${keys.auditAside}`,
    },
  ];
}
