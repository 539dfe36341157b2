import type { AuditStore, Clients, Log, RunStore } from '../core/ports.ts';
import { asideWarnings, createAuditStore } from './audit.ts';
import { checkRedis } from './check-redis.ts';
import type { Connection } from './connection.ts';
import { createDelegationStore, createLockStore, createOrderStore } from './order.ts';
import { createRunStore } from './runs.ts';
import { noSeal, type Seal } from './seal.ts';

/** What Shipmate remembers, as operations see it. */
export type Remembered = Pick<Clients, 'runs' | 'order' | 'locks' | 'audit' | 'delegations' | 'setup'>;

/** All that the engine and its operations keep in one Redis. */
export function createStores(
  redis: Connection,
  seal: Seal = noSeal,
  log?: Pick<Log, 'error'>,
): { store: RunStore; audit: AuditStore; remembered: Remembered } {
  const store = createRunStore(redis, seal);
  const audit = createAuditStore(redis, log);
  return {
    store,
    audit,
    remembered: {
      runs: store,
      order: createOrderStore(redis, store),
      locks: createLockStore(redis),
      audit,
      delegations: createDelegationStore(redis),
      setup: { check: async () => [...(await checkRedis(redis)), ...(await asideWarnings(redis))] },
    },
  };
}
