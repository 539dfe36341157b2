import type { Actor } from '../core/actor.ts';
import type { AuditRecord, WithheldRecord } from '../core/audit.ts';
import { fault } from '../core/errors.ts';
import type { RunStore } from '../core/ports.ts';
import { mayRead, mayReadEntry } from '../core/reading.ts';
import type { Run } from '../core/run.ts';
import type { Engine } from './engine.ts';

type Reads = Pick<Engine, 'settings' | 'catalogue' | 'delegations' | 'now'> & {
  store: Pick<RunStore, 'read' | 'events'>;
};

/**
 * A run, for whoever may read it: the one way by which a surface gets at runs, its own requester's or another's. Others are
 * answered as if there were none.
 * @throws Fault UNKNOWN_RUN
 */
export async function readRun(engine: Reads, id: string, actor: Actor): Promise<Run> {
  const run = await engine.store.read(id);
  const terms = { settings: engine.settings(), catalogue: engine.catalogue };
  if (run && mayRead(terms, run, actor)) return run;
  // Few stand in for others: that is looked up last.
  const now = engine.now();
  if (run && mayRead(terms, run, actor, { delegations: await engine.delegations.all(), now })) return run;
  throw fault('UNKNOWN_RUN', { id });
}

/** The events of a run that its reader has been let see. */
export function eventsOf({ store }: Pick<Reads, 'store'>, run: Run, after: string, limit: number) {
  return store.events(run.id, after, limit);
}

const portion = 500;

/** The audit chain from behind a record on, in portions. What the reader may not read is there with its number and hashes alone. */
export async function* readAudit(
  engine: Pick<Engine, 'settings' | 'catalogue'> & { clients: Pick<Engine['clients'], 'audit'> },
  actor: Actor,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<(AuditRecord | WithheldRecord)[]> {
  for (let after = first; !signal.aborted; ) {
    const records = await engine.clients.audit.read({ after, limit: portion });
    const last = records.at(-1);
    if (!last) return;
    const terms = { settings: engine.settings(), catalogue: engine.catalogue };
    yield records.map((record) => {
      if (mayReadEntry(terms, record, actor)) return record;
      const { seq, prev, hash } = record;
      return { seq, prev, hash, withheld: true };
    });
    after = last.seq;
  }
}
