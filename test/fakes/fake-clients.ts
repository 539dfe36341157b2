import { fault } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/json.ts';
import type { Clients } from '../../src/core/ports.ts';
import { fakeDockerHost } from './fake-docker-host.ts';
import { type FakeHarbor, fakeHarbor } from './fake-harbor.ts';
import { type FakeCluster, fakeCluster } from './fake-kube.ts';
import { fakeDocker, fakeRegistry } from './fake-registry.ts';
import { fakeTrust } from './fake-trust.ts';

/** The clients that reach out of the process. */
export type FakeClients = Pick<
  Clients,
  | 'kube'
  | 'registry'
  | 'docker'
  | 'dockerHost'
  | 'harbor'
  | 'hand'
  | 'git'
  | 'attachments'
  | 'signing'
  | 'scanner'
  | 'metrics'
  | 'hooks'
>;

export type FakeWorld = FakeCluster & {
  clients: FakeClients;
  /** What is on the Docker host. */
  onHost: () => [string, Json][];
  harbor: FakeHarbor;
  /** What was given to askers alone. */
  given: string[];
  /** Tags of the registry. */
  digests: Map<string, string>;
};

/** A cluster, a registry and a Docker daemon in memory: for tests of the engine, not of the clients. */
export function fakeWorld({ signs = false } = {}): FakeWorld {
  const cluster = fakeCluster();
  const digests = new Map<string, string>();
  const dockerHost = fakeDockerHost(cluster.executed);
  const harbor = fakeHarbor();
  const given: string[] = [];
  const clients: FakeClients = {
    dockerHost: () => dockerHost.host,
    harbor: harbor.client,
    hand: { reaches: () => true, give: async (_origin, text) => void given.push(text) },
    kube: () => cluster.kube,
    registry: fakeRegistry(digests),
    metrics: {
      configured: false,
      query: async () => {
        throw fault('METRICS_OFF', {});
      },
    },
    hooks: { ask: async () => ({ verdict: 'unsure' }) },
    ...fakeTrust(signs),
    git: {
      read: async () => ({ commit: 'c'.repeat(40), files: [] }),
      checkout: async () => ({ commit: 'c'.repeat(40), committedAt: 0 }),
    },
    docker: fakeDocker(digests),
  };
  return Object.assign(cluster, { digests, clients, given, harbor, onHost: dockerHost.objects });
}
