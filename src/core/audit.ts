import { z } from 'zod';
import { Actor } from './actor.ts';
import { digestOf } from './json.ts';
import { siteOf } from './place.ts';
import type { Commit } from './ports.ts';
import type { Run, RunEvent } from './run.ts';

/** What the audit log has of one happening: who, from where, what, on which plan, by which rule. Never an input's value. */
export const AuditEntry = z.object({
  at: z.number(),
  kind: z.enum(['state', 'plan', 'decision', 'call', 'step', 'refusal', 'cancel', 'steer', 'unreadable']),
  text: z.string(),
  actor: Actor,
  surface: z.enum(['slack', 'rest', 'webhook']),
  operation: z.string(),
  effect: z.enum(['read', 'change']).optional(),
  app: z.string().optional(),
  env: z.string().optional(),
  run: z.string().optional(),
  step: z.string().optional(),
  /** Of the plan that stood then. */
  digest: z.string().optional(),
  image: z.string().optional(),
  rule: z.string().optional(),
  reason: z.string().optional(),
  trace: z.string().optional(),
});
export type AuditEntry = z.output<typeof AuditEntry>;

/** Whose doing it is where Shipmate itself tells something; no webhook is called so. */
const itself: Actor = { kind: 'webhook', source: 'shipmate' };

/** What stands in the log in place of something that is no entry: that there was something, and what was wrong with it. */
export function unreadable(at: number, text: string): AuditEntry {
  return { at, kind: 'unreadable', text, actor: itself, surface: 'webhook', operation: 'audit' };
}

/** An entry as part of the chain: `hash` is over the record without itself, and so over `prev`, the hash of the one before. */
export const AuditRecord = AuditEntry.extend({ seq: z.number().int().positive(), prev: z.string(), hash: z.string() });
export type AuditRecord = z.output<typeof AuditRecord>;

/** A record that its reader may not read: enough to check that the chain holds around it. */
export const WithheldRecord = AuditRecord.pick({ seq: true, prev: true, hash: true }).extend({
  withheld: z.literal(true),
});
export type WithheldRecord = z.output<typeof WithheldRecord>;

/** The newest record's number and hash. Kept elsewhere, it shows that a chain's end was cut off. */
export const AuditHead = z.object({ seq: z.number().int().nonnegative(), hash: z.string() });
export type AuditHead = z.output<typeof AuditHead>;

export const beforeFirst: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** Hangs entries behind `head`, each bound to the one before by SHA-256. */
export function chain(head: AuditHead, entries: readonly AuditEntry[]): AuditRecord[] {
  let { seq, hash: prev } = head;
  return entries.map((entry) => {
    seq += 1;
    const unsealed = { ...entry, seq, prev };
    const hash = digestOf(unsealed);
    prev = hash;
    return { ...unsealed, hash };
  });
}

export type ChainFault = { seq: number; problem: string };

/**
 * Checks records in the order given. Any edited, removed, added or reordered record is found; a cut end only by `head`.
 * The first record's `prev` is taken as it is, since older ones may have been put away. Of a record that was withheld only its
 * place in the chain can be checked.
 */
export function verifyChain(
  records: Iterable<AuditRecord | WithheldRecord>,
  head?: AuditHead,
): { count: number; head: AuditHead; faults: ChainFault[] } {
  const faults: ChainFault[] = [];
  let last: AuditHead | undefined;
  let count = 0;
  for (const { hash, ...unsealed } of records) {
    count += 1;
    const { seq, prev } = unsealed;
    if (!('withheld' in unsealed) && digestOf(unsealed) !== hash)
      faults.push({ seq, problem: 'was edited: its content does not match its hash' });
    if (last && seq !== last.seq + 1)
      faults.push({ seq, problem: `follows record ${last.seq}: records are missing or out of order` });
    else if (last && prev !== last.hash) faults.push({ seq, problem: `does not follow from record ${last.seq}` });
    else if (!last && seq === 1 && prev !== beforeFirst.hash)
      faults.push({ seq, problem: 'is not the beginning of a chain' });
    last = { seq, hash };
  }
  const end = last ?? beforeFirst;
  if (head && (head.seq !== end.seq || head.hash !== end.hash))
    faults.push({ seq: end.seq, problem: `is the last one here, but the chain went on to record ${head.seq}` });
  return { count, head: end, faults };
}

const audited = (kind: RunEvent['kind']): kind is Exclude<RunEvent['kind'], 'note' | 'log'> =>
  kind !== 'note' && kind !== 'log';

/** What every entry about a run has. */
export function auditBase(run: Run): Omit<AuditEntry, 'at' | 'kind' | 'text'> {
  const { place, input, plan, verdict, trace } = run;
  const where = siteOf(run);
  const app = place?.app ?? (typeof input.app === 'string' ? input.app : undefined);
  return {
    actor: run.actor,
    surface: run.origin.surface,
    operation: run.operation,
    run: run.id,
    ...(run.effect && { effect: run.effect }),
    ...(app !== undefined && { app }),
    ...(where && { env: where.env }),
    ...(plan && { digest: plan.digest }),
    ...(plan?.image && { image: `${plan.image.reference}@${plan.image.digest}` }),
    ...(verdict?.rule !== undefined && { rule: verdict.rule }),
    ...(run.breakGlass && { reason: run.breakGlass.reason }),
    ...(trace !== undefined && { trace }),
  };
}

/** The audit entries of a commit: one for each event but words of progress. */
export function auditOf({ run, events }: Commit): AuditEntry[] {
  const base = auditBase(run);
  return events.flatMap(({ kind, ...event }) => (audited(kind) ? [{ ...base, ...event, kind }] : []));
}
