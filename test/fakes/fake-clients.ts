import { fault } from '../../src/core/errors.ts';
import type { Clients } from '../../src/core/ports.ts';
import { type FakeCluster, fakeCluster } from './fake-kube.ts';

/** The clients that reach out of the process. */
export type FakeClients = Pick<Clients, 'kube' | 'registry' | 'docker' | 'git' | 'metrics' | 'hooks'>;

export type FakeWorld = FakeCluster & {
  clients: FakeClients;
  /** Tags of the registry. */
  digests: Map<string, string>;
};

/** A cluster, a registry and a Docker daemon in memory: for tests of the engine, not of the clients. */
export function fakeWorld(): FakeWorld {
  const cluster = fakeCluster();
  const digests = new Map<string, string>();
  const clients: FakeClients = {
    kube: () => cluster.kube,
    registry: {
      resolve: async (reference) => {
        const [name = '', pinned] = reference.split('@');
        const digest = pinned ?? digests.get(name);
        if (digest) return digest;
        throw fault('IMAGE_NOT_FOUND', { registry: '127.0.0.1:5000', image: reference, near: '', app: 'web' });
      },
    },
    metrics: {
      configured: false,
      query: async () => {
        throw fault('METRICS_OFF', {});
      },
    },
    hooks: { ask: async () => ({ verdict: 'unsure' }) },
    git: { read: async () => ({ commit: 'c'.repeat(40), files: [] }) },
    docker: { build: async () => {}, push: async () => ({ digest: `sha256:${'b'.repeat(64)}` }) },
  };
  return Object.assign(cluster, { digests, clients });
}
