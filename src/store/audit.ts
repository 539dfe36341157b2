import { z } from 'zod';
import { AuditEntry, AuditHead, AuditRecord, beforeFirst, chain } from '../core/audit.ts';
import { fault } from '../core/errors.ts';
import type { AuditStore } from '../core/ports.ts';
import { type Connection, guarded } from './connection.ts';
import { keys } from './keys.ts';
import { evenWhenFull, script } from './script.ts';
import { noSeal, type Seal } from './seal.ts';

/** Sealed in portions of this many. */
const portion = 500;
/** Kept in Redis; a file (AUDIT_FILE) keeps them all. */
const keepRecords = 200_000;

/** Hangs records behind the head that they were made for; with another head it does nothing. */
const append = script(`${evenWhenFull}
local inbox, chain, head = unpack(KEYS)
local seq, hash, ids, records, seal = unpack(ARGV)
local stored = redis.call('HMGET', head, 'seq', 'hash')
if (stored[1] or '0') ~= seq or (stored[2] or hash) ~= hash then return 0 end
for _, record in ipairs(cjson.decode(records)) do
  redis.call('XADD', chain, 'MAXLEN', '~', ${keepRecords}, record[1] .. '-1', 'record', record[3])
  redis.call('HSET', head, 'seq', record[1], 'hash', record[2])
end
if seal ~= '' then redis.call('HSET', head, 'seal', seal) else redis.call('HDEL', head, 'seal') end
redis.call('XDEL', inbox, unpack(cjson.decode(ids)))
return 1`);

const recordOf = ([, fields]: [string, string[]]) => AuditRecord.parse(JSON.parse(fields[1] ?? ''));

/**
 * The audit log. Entries get into an inbox in the same script as the change they are about; from there they are chained
 * by SHA-256, which Redis' Lua lacks, a moment later.
 */
export function createAuditStore(redis: Connection, seal: Seal = noSeal): AuditStore {
  const sealedHead = ({ seq, hash }: AuditHead) => (seal.sealed ? seal.seal(`${seq} ${hash}`, keys.auditHead) : '');
  /** With the head sealed nobody else can have written any record that leads to it. */
  const checkHead = (stored: AuditHead, sealed: string) => {
    const text = `${stored.seq} ${stored.hash}`;
    if (seal.sealed && seal.open(sealed || text, keys.auditHead) !== text)
      throw fault('SEAL_BROKEN', { about: keys.auditHead });
    return stored;
  };
  const head = async (): Promise<AuditHead> => {
    const [seq, hash, sealed] = await redis.hmget(keys.auditHead, 'seq', 'hash', 'seal');
    return seq && hash ? checkHead(AuditHead.parse({ seq: Number(seq), hash }), sealed ?? '') : beforeFirst;
  };
  return {
    add: (entry) =>
      guarded(
        async () =>
          void (await redis.xadd(keys.auditInbox, '*', 'entry', seal.seal(JSON.stringify(entry), keys.auditInbox))),
      ),
    seal: () =>
      guarded(async () => {
        // The head first: what is in the inbox after it was read is not part of a chain that ends there.
        const from = await head();
        const waiting = await redis.xrange(keys.auditInbox, '-', '+', 'COUNT', portion);
        if (waiting.length === 0) return 0;
        const records = chain(
          from,
          waiting.flatMap(([, fields]) =>
            fields
              .filter((_, index) => index % 2 === 1)
              .map((entry) => AuditEntry.parse(JSON.parse(seal.open(entry, keys.auditInbox)))),
          ),
        );
        const rows = records.map((record) => [String(record.seq), record.hash, JSON.stringify(record)]);
        const ids = JSON.stringify(waiting.map(([id]) => id));
        const args = [String(from.seq), from.hash, ids, JSON.stringify(rows), sealedHead(records.at(-1) ?? from)];
        const done = await append(redis, [keys.auditInbox, keys.auditChain, keys.auditHead], args);
        return z.number().parse(done) === 1 ? records.length : 0;
      }),
    head: () => guarded(head),
    read: ({ after = 0, newest = false, limit }) =>
      guarded(async () => {
        if (newest) return (await redis.xrevrange(keys.auditChain, '+', '-', 'COUNT', limit)).map(recordOf).reverse();
        return (await redis.xrange(keys.auditChain, `${after + 1}-0`, '+', 'COUNT', limit)).map(recordOf);
      }),
  };
}
