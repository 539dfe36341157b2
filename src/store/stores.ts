import type { AlertStore, NoticeStore } from '../core/notices.ts';
import type { AuditStore, Clients, Log, RunStore } from '../core/ports.ts';
import { asideWarnings, createAuditStore } from './audit.ts';
import { checkRedis } from './check-redis.ts';
import type { Connection } from './connection.ts';
import { createAlertStore, createNoticeStore } from './notices.ts';
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
): { store: RunStore; audit: AuditStore; remembered: Remembered; notices: NoticeStore; alerts: AlertStore } {
  const store = createRunStore(redis, seal);
  const audit = createAuditStore(redis, seal, log);
  return {
    store,
    audit,
    notices: createNoticeStore(redis, seal),
    alerts: createAlertStore(redis, seal),
    remembered: {
      runs: store,
      order: createOrderStore(redis, store),
      locks: createLockStore(redis, seal),
      audit,
      delegations: createDelegationStore(redis, seal),
      setup: { check: async () => [...(await checkRedis(redis)), ...(await asideWarnings(redis))] },
    },
  };
}
