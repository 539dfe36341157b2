import { type AuditEntry, auditBase } from '../core/audit.ts';
import type { Run } from '../core/run.ts';
import type { Engine } from './engine.ts';

/** Puts a refusal into the audit log. Nothing was changed, so with the store away only the log of the process has it. */
export function noteRefusal(engine: Engine, entry: Omit<AuditEntry, 'at' | 'kind'>): void {
  const text = engine.redact(entry.text);
  engine.audit.add({ ...entry, text, at: engine.now(), kind: 'refusal' }).catch((problem: unknown) => {
    engine.log.warn({ problem, run: entry.run, operation: entry.operation }, 'a refusal was not audited');
  });
}

/** A refusal that is about a run. */
export function refused(engine: Engine, run: Run, what: Pick<AuditEntry, 'actor' | 'text'>): void {
  noteRefusal(engine, { ...auditBase(run), ...what });
}
