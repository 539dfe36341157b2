import { KubeConfig } from '@kubernetes/client-node';
import { fault } from '../../core/errors.ts';
import type { Kube } from '../../core/kube.ts';
import { type Connection, createConnection } from './connection.ts';
import { createKube } from './kube.ts';
import { createTransport } from './transport.ts';

export type ClusterSource = {
  /** A kubeconfig file. Without it only `in-cluster` can be reached: somebody's own kubeconfig is never used unasked. */
  kubeconfig?: string;
  /** The context that `default` means; the file's current one where it is left out. */
  context?: string;
  /** Another address for the cluster `default`. */
  endpoint?: string;
};

export type Clusters = {
  /** The client of a cluster of `shipmate.yaml`. @throws Fault CLUSTER_UNREACHABLE for a name that leads nowhere */
  kube(cluster: string): Kube;
  close(): Promise<void>;
};

function contextOf(cluster: string, { kubeconfig, context, endpoint }: ClusterSource): KubeConfig {
  const config = new KubeConfig();
  if (cluster === 'in-cluster' || kubeconfig === undefined) {
    config.loadFromCluster();
    return config;
  }
  config.loadFromFile(kubeconfig);
  const wanted = cluster === 'default' ? (context ?? config.getCurrentContext()) : cluster;
  if (!config.getContextObject(wanted)) {
    const known = config.getContexts().map(({ name }) => name);
    throw fault('CLUSTER_UNREACHABLE', {
      cluster,
      problem: `the kubeconfig has no context “${wanted}”, only ${known.join(', ')}`,
    });
  }
  config.setCurrentContext(wanted);
  const current = config.getCurrentCluster();
  if (endpoint === undefined || cluster !== 'default' || !current) return config;
  const user = config.getCurrentUser();
  const moved = new KubeConfig();
  moved.loadFromClusterAndUser({ ...current, server: endpoint }, user ?? { name: 'none' });
  return moved;
}

/** All clusters by name, each with a connection pool and credentials of its own: one KubeConfig a cluster, never switched. */
export function createClusters(source: ClusterSource): Clusters {
  const connections = new Map<string, { connection: Connection; kube: ReturnType<typeof createKube> }>();
  return {
    kube: (cluster) => {
      const known = connections.get(cluster);
      if (known) return known.kube;
      const connection = createConnection(cluster, createTransport(contextOf(cluster, source)));
      const kube = createKube(connection);
      connections.set(cluster, { connection, kube });
      return kube;
    },
    close: async () => {
      for (const { kube } of connections.values()) kube.close();
      await Promise.all([...connections.values()].map(({ connection }) => connection.close()));
    },
  };
}
