import { KubeConfig } from '@kubernetes/client-node';
import { fault } from '../../core/errors.ts';
import { digestOf } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { ClusterSettings } from '../../core/settings.ts';
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
  /** The clusters of `shipmate.yaml`, as they are now. */
  named?: () => Readonly<Record<string, ClusterSettings>>;
};

export type Clusters = {
  /** The client of a cluster of `shipmate.yaml`. @throws Fault CLUSTER_UNREACHABLE for a name that leads nowhere */
  kube(cluster: string): Kube;
  close(): Promise<void>;
};

/** Where one cluster is found. */
type Way = Pick<ClusterSource, 'kubeconfig' | 'context' | 'endpoint'> & { inCluster?: boolean };

function wayTo(cluster: string, { kubeconfig, context, endpoint, named }: ClusterSource): Way {
  const own = named?.()[cluster];
  if (own) return { kubeconfig: own.kubeconfig ?? kubeconfig, context: own.context, endpoint: own.endpoint };
  if (cluster === 'in-cluster' || kubeconfig === undefined) return { inCluster: true };
  return cluster === 'default' ? { kubeconfig, context, endpoint } : { kubeconfig, context: cluster };
}

function unreachable(cluster: string, problem: string, cause?: unknown) {
  return fault('CLUSTER_UNREACHABLE', { cluster, problem }, cause);
}

function fromFile(cluster: string, file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (thrown) {
    // The library's own message may quote the file, and so its tokens.
    throw unreachable(cluster, `the kubeconfig ${file} cannot be read`, thrown);
  }
  return config;
}

function loadConfig(cluster: string, { kubeconfig, context, endpoint, inCluster }: Way): KubeConfig {
  if (inCluster || kubeconfig === undefined) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  }
  const config = fromFile(cluster, kubeconfig);
  const wanted = context ?? config.getCurrentContext();
  if (!config.getContextObject(wanted)) {
    const known = config.getContexts().map(({ name }) => name);
    throw unreachable(cluster, `the kubeconfig has no context “${wanted}”, only ${known.join(', ')}`);
  }
  config.setCurrentContext(wanted);
  const current = config.getCurrentCluster();
  if (endpoint === undefined || !current) return config;
  const user = config.getCurrentUser();
  const moved = new KubeConfig();
  moved.loadFromClusterAndUser({ ...current, server: endpoint }, user ?? { name: 'none' });
  return moved;
}

type Known = { way: string; connection: Connection; kube: ReturnType<typeof createKube> };

async function letGo({ connection, kube }: Known): Promise<void> {
  kube.close();
  await connection.close();
}

/** All clusters by name, each with a connection pool and credentials of its own: one KubeConfig a cluster, never switched. */
export function createClusters(source: ClusterSource): Clusters {
  const connections = new Map<string, Known>();
  return {
    kube: (cluster) => {
      const way = wayTo(cluster, source);
      const id = digestOf(way);
      const known = connections.get(cluster);
      if (known?.way === id) return known.kube;
      const connection = createConnection(
        cluster,
        createTransport(() => loadConfig(cluster, way)),
      );
      const kube = createKube(connection);
      connections.set(cluster, { way: id, connection, kube });
      // shipmate.yaml says something else now: what is under way over there fails, is tried again, and goes the new way.
      if (known) void letGo(known);
      return kube;
    },
    close: async () => void (await Promise.all([...connections.values()].map(letGo))),
  };
}
