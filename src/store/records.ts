import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AuditEntry, auditOf } from '../core/audit.ts';
import type { Commit } from '../core/ports.ts';
import { Cancel, Run, RunEvent } from '../core/run.ts';
import { Steer } from '../core/steer.ts';
import { keys } from './keys.ts';
import { asStored } from './readable.ts';
import { fieldOf, type Seal } from './seal.ts';

const Said = Steer.omit({ n: true }).extend({ once: z.string() });

export type Records = ReturnType<typeof createRecords>;

/** Runs and all that is kept beside them, as they are stored: as JSON, sealed, each bound to its place. */
export function createRecords(seal: Seal) {
  const sealed = (run: Run) => seal.seal(JSON.stringify(run), keys.run(run.id));
  const opened = (id: string, record: string) => asStored(Run, seal.open(record, keys.run(id)), keys.run(id));
  /** How many events there are, the events, and the audit entries: the end of the scripts' arguments. */
  const told = ({ run, events }: Commit) => [
    events.length,
    ...events.map((event) => seal.seal(JSON.stringify(event), keys.events(run.id))),
    ...auditOf({ run, events }).map((entry) => seal.seal(JSON.stringify(AuditEntry.parse(entry)), keys.auditInbox)),
  ];
  const openedEvent = (id: string, event: string) =>
    asStored(RunEvent, seal.open(event, keys.events(id)), keys.events(id));
  const about = (id: string) => fieldOf(keys.run(id), 'cancel');
  const sealedCancel = (id: string, wish: Cancel) => seal.seal(JSON.stringify(wish), about(id));
  const openedCancel = (id: string, wish: string) => asStored(Cancel, seal.open(wish, about(id)), about(id));
  /** The script puts the number in front: only there is it known. `once` tells a steer from a copy of it. */
  const sealedSteer = (id: string, said: Omit<Steer, 'n'>) =>
    seal.seal(JSON.stringify({ ...said, once: randomUUID() }), keys.steers(id));
  const openedSteers = (id: string, list: readonly string[]): Steer[] => {
    const seen = new Set<unknown>();
    const at = keys.steers(id);
    return list.flatMap((entry) => {
      const [, n, said = ''] = /^(\d+):(.*)$/s.exec(entry) ?? [];
      // Before steers were sealed they had their number within.
      if (n === undefined) return [asStored(Steer, seal.open(entry, at), at)];
      const { once, ...steer } = asStored(Said, seal.open(said, at), at);
      if (seen.has(once)) return [];
      seen.add(once);
      return [{ ...steer, n: Number(n) }];
    });
  };
  return { sealed, opened, told, openedEvent, sealedCancel, openedCancel, sealedSteer, openedSteers };
}
