import { z } from 'zod';
import { AuditEntry, auditOf } from '../core/audit.ts';
import { Fault } from '../core/errors.ts';
import type { Commit } from '../core/ports.ts';
import { Run, RunEvent } from '../core/run.ts';
import { keys } from './keys.ts';
import type { Seal } from './seal.ts';

export type Records = ReturnType<typeof createRecords>;

/** For lists: one record that cannot be read does not stop all others from being read. */
export function leftOut(thrown: unknown): undefined {
  const found = thrown instanceof Fault ? thrown.cause : thrown;
  if (found instanceof z.ZodError || found instanceof SyntaxError) return undefined;
  throw thrown;
}

/** Runs and their events as they are stored: as JSON, sealed, each bound to its place. */
export function createRecords(seal: Seal) {
  const sealed = (run: Run) => seal.seal(JSON.stringify(run), keys.run(run.id));
  const opened = (id: string, record: string) => Run.parse(JSON.parse(seal.open(record, keys.run(id))));
  /** How many events there are, the events, and the audit entries: the end of the scripts' arguments. */
  const told = ({ run, events }: Commit) => [
    events.length,
    ...events.map((event) => seal.seal(JSON.stringify(event), keys.events(run.id))),
    ...auditOf({ run, events }).map((entry) => JSON.stringify(AuditEntry.parse(entry))),
  ];
  const openedEvent = (id: string, event: string) => RunEvent.parse(JSON.parse(seal.open(event, keys.events(id))));
  return { sealed, opened, told, openedEvent };
}
