import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AuditEntry, auditOf } from '../core/audit.ts';
import { Fault } from '../core/errors.ts';
import type { Commit } from '../core/ports.ts';
import { Cancel, Run, RunEvent } from '../core/run.ts';
import { Steer } from '../core/steer.ts';
import { keys } from './keys.ts';
import { fieldOf, type Seal } from './seal.ts';

const Said = Steer.omit({ n: true }).extend({ once: z.string() });

export type Records = ReturnType<typeof createRecords>;

/** For lists: one record that cannot be read does not stop all others from being read. */
export function leftOut(thrown: unknown): undefined {
  const found = thrown instanceof Fault ? thrown.cause : thrown;
  if (found instanceof z.ZodError || found instanceof SyntaxError) return undefined;
  throw thrown;
}

/** Runs and all that is kept beside them, as they are stored: as JSON, sealed, each bound to its place. */
export function createRecords(seal: Seal) {
  const sealed = (run: Run) => seal.seal(JSON.stringify(run), keys.run(run.id));
  const opened = (id: string, record: string) => Run.parse(JSON.parse(seal.open(record, keys.run(id))));
  /** How many events there are, the events, and the audit entries: the end of the scripts' arguments. */
  const told = ({ run, events }: Commit) => [
    events.length,
    ...events.map((event) => seal.seal(JSON.stringify(event), keys.events(run.id))),
    ...auditOf({ run, events }).map((entry) => seal.seal(JSON.stringify(AuditEntry.parse(entry)), keys.auditInbox)),
  ];
  const openedEvent = (id: string, event: string) => RunEvent.parse(JSON.parse(seal.open(event, keys.events(id))));
  const about = (id: string) => fieldOf(keys.run(id), 'cancel');
  const sealedCancel = (id: string, wish: Cancel) => seal.seal(JSON.stringify(wish), about(id));
  const openedCancel = (id: string, wish: string) => Cancel.parse(JSON.parse(seal.open(wish, about(id))));
  /** The script puts the number in front: only there is it known. `once` tells a steer from a copy of it. */
  const sealedSteer = (id: string, said: Omit<Steer, 'n'>) =>
    seal.seal(JSON.stringify({ ...said, once: randomUUID() }), keys.steers(id));
  const openedSteers = (id: string, list: readonly string[]): Steer[] => {
    const seen = new Set<unknown>();
    return list.flatMap((entry) => {
      const [, n, said = ''] = /^(\d+):(.*)$/s.exec(entry) ?? [];
      // Before steers were sealed they had their number within.
      if (n === undefined) return [Steer.parse(JSON.parse(seal.open(entry, keys.steers(id))))];
      const { once, ...steer } = Said.parse(JSON.parse(seal.open(said, keys.steers(id))));
      if (seen.has(once)) return [];
      seen.add(once);
      return [{ ...steer, n: Number(n) }];
    });
  };
  return { sealed, opened, told, openedEvent, sealedCancel, openedCancel, sealedSteer, openedSteers };
}
