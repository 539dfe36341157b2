import type { Catalogue } from '../core/operation.ts';
import type { AuditStore, Clients, Clock, DelegationStore, Log, Membership, RunStore } from '../core/ports.ts';
import type { Redact } from '../core/redact.ts';
import type { Settings } from '../core/settings.ts';

/** What drives runs: everything that the engine needs, passed in by `main.ts` or a test. */
export type Engine = {
  catalogue: Catalogue;
  /** The settings in force now. */
  settings: () => Settings;
  store: RunStore;
  audit: Pick<AuditStore, 'add'>;
  delegations: Pick<DelegationStore, 'all'>;
  clients: Clients;
  membership: Membership;
  /** Tells some worker to look at the run. May get lost: the sweeper finds it then. */
  wake: (runId: string) => Promise<void>;
  /** Takes secrets out of what people and logs get to see. */
  redact: Redact;
  now: Clock;
  newId: () => string;
  log: Log;
};
