import { once } from 'node:events';

import type { Actor } from '../../src/core/actor.ts';
import type { AuditStore } from '../../src/core/ports.ts';
import { createRedact } from '../../src/core/redact.ts';
import { Settings } from '../../src/core/settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { type Connection, connectStore } from '../../src/store/connection.ts';
import type { Seal } from '../../src/store/seal.ts';
import { createStores } from '../../src/store/stores.ts';
import type { FakeClients } from '../fakes/fake-clients.ts';

export const slack = (user: string): Actor => ({ kind: 'slack', team: 'T1', user });
export const ana = slack('UANA');
export const ben = slack('UBEN');

/** One app in an environment where anything goes and in one where another engineer must approve. */
export const testSettings = Settings.parse({
  apps: { web: { image: '127.0.0.1:5000/web' } },
  environments: {
    staging: { namespace: 'staging', exec: { allow: ['cat /etc/*'] }, debug: { images: ['busybox:1.37'] } },
    production: { namespace: 'production' },
  },
  harbor: { url: 'https://harbor.example.com' },
  dockerHosts: { build: { address: 'unix:///nowhere/docker.sock', exec: { allow: ['cat /etc/*'] } } },
  people: { ana: { slack: 'UANA', subject: 'ana@example.com' }, ben: { slack: 'UBEN', subject: 'ben@example.com' } },
  roles: { engineers: ['ana', 'ben'] },
  policy: [
    { name: 'reading', effects: ['read'] },
    { name: 'order', operations: ['stop', 'resume', 'away', 'back'], who: ['engineers'] },
    { name: 'staging is free', environments: ['staging'] },
    {
      name: 'production needs another engineer',
      environments: ['production'],
      who: ['engineers'],
      approvals: 1,
      approvers: ['engineers'],
    },
    { name: 'what is no app is free in staging', environments: ['staging'], uncovered: true },
  ],
});

export const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export type TestEngine = Engine & { woken: string[]; redis: Connection; audit: AuditStore; close(): void };

/** An engine over a real Redis; wake-up calls are collected instead of queued. */
export async function testEngine(
  redisUrl: string,
  clients: FakeClients,
  { seal, ...change }: Partial<Omit<Engine, 'audit'>> & { seal?: Seal } = {},
): Promise<TestEngine> {
  const redis = connectStore(redisUrl);
  redis.on('error', () => {});
  await once(redis, 'ready');
  const { store, audit, remembered } = createStores(redis, seal);
  const woken: string[] = [];
  let ids = 0;
  const seed = Math.random().toString(36).slice(2, 8);
  return {
    catalogue,
    settings: () => testSettings,
    store,
    audit,
    delegations: remembered.delegations,
    clients: { ...clients, ...remembered },
    membership: async () => ({ kind: 'member' }),
    wake: async (id) => void woken.push(id),
    redact: createRedact([]),
    now: Date.now,
    newId: () => `${seed}${ids++}`,
    log: quiet,
    ...change,
    woken,
    redis,
    close: () => redis.disconnect(),
  };
}
