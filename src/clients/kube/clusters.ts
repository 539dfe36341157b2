import { type ClusterSettings, saysWhere } from '../../core/cluster-settings.ts';
import { fault } from '../../core/errors.ts';
import type { Identity } from '../../core/identity.ts';
import { digestOf } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { type Access, accessBy } from './access.ts';
import { createConnection } from './connection.ts';
import { createKube } from './kube.ts';
import { inClusterEntry, readKubeconfig } from './kubeconfig.ts';
import { createTransport, type Transport } from './transport.ts';

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
  /** The client of a cluster of `shipmate.yaml`, in Shipmate's own name or in somebody's. @throws Fault CLUSTER_UNREACHABLE for a name that leads nowhere */
  kube(cluster: string, as?: Identity): Kube;
  close(): Promise<void>;
};

/** Where one cluster is found. */
type Way = Pick<ClusterSource, 'kubeconfig' | 'context' | 'endpoint'> & { inCluster?: boolean };

function wayTo(cluster: string, { kubeconfig, context, endpoint, named }: ClusterSource): Way {
  const clusters = named?.() ?? {};
  const own = saysWhere(clusters, cluster) ? clusters[cluster] : undefined;
  if (own) return { kubeconfig: own.kubeconfig ?? kubeconfig, context: own.context, endpoint: own.endpoint };
  if (cluster === 'in-cluster' || kubeconfig === undefined) return { inCluster: true };
  return cluster === 'default' ? { kubeconfig, context, endpoint } : { kubeconfig, context: cluster };
}

function read(cluster: string, file: string): ReturnType<typeof readKubeconfig> {
  try {
    return readKubeconfig(file);
  } catch (thrown) {
    // The cause's own message may quote the file, and so its tokens.
    throw unreachable(cluster, `the kubeconfig ${file} cannot be read`, thrown);
  }
}

function unreachable(cluster: string, problem: string, cause?: unknown) {
  return fault('CLUSTER_UNREACHABLE', { cluster, problem }, cause);
}

function loadAccess(cluster: string, { kubeconfig, context, endpoint, inCluster }: Way): Access {
  if (inCluster || kubeconfig === undefined) return accessBy(inClusterEntry());
  const { current, contexts, entry } = read(cluster, kubeconfig);
  const wanted = context ?? current;
  const found = entry(wanted);
  if (!found) throw unreachable(cluster, `the kubeconfig has no context “${wanted}”, only ${contexts.join(', ')}`);
  if (found === 'no cluster')
    throw unreachable(cluster, `the cluster of the context “${wanted}” is not in the kubeconfig`);
  return accessBy(endpoint === undefined ? found : { ...found, cluster: { ...found.cluster, server: endpoint } });
}

type Client = ReturnType<typeof createKube>;
/** `people`: the clients in other names. They share the connections, and never what was seen. */
type Known = { way: string; transport: Transport; kube: Client; people: Map<string, Client> };

async function letGo({ transport, kube, people }: Known): Promise<void> {
  for (const each of [kube, ...people.values()]) each.close();
  await transport.close();
}

/** The same cluster in somebody's name. */
function clientAs({ transport, kube: own, people }: Known, cluster: string, as: Identity): Client {
  const id = digestOf(as);
  const kube = people.get(id) ?? createKube(createConnection(cluster, transport, as), own.listTypes);
  people.set(id, kube);
  return kube;
}

/** All clusters by name, each with a connection pool and credentials of its own: one Access a cluster, never switched. */
export function createClusters(source: ClusterSource): Clusters {
  const connections = new Map<string, Known>();
  const connect = (cluster: string): Known => {
    const way = wayTo(cluster, source);
    const id = digestOf(way);
    const known = connections.get(cluster);
    if (known?.way === id) return known;
    const transport = createTransport(() => loadAccess(cluster, way));
    const made = { way: id, transport, kube: createKube(createConnection(cluster, transport)), people: new Map() };
    connections.set(cluster, made);
    // shipmate.yaml says something else now: what is under way over there fails, is tried again, and goes the new way.
    if (known) void letGo(known);
    return made;
  };
  return {
    kube: (cluster, as) => {
      const known = connect(cluster);
      return as ? clientAs(known, cluster, as) : known.kube;
    },
    close: async () => void (await Promise.all([...connections.values()].map(letGo))),
  };
}
