import type { Testbed } from '../testbed.ts';

/**
 * Gateways listen on all addresses of their machine, as they must in a pod; on somebody's laptop that opens what runs here to the
 * network. So each is told to listen on loopback.
 */
export async function keepOnLoopback({ kubernetes }: Testbed, namespace: string): Promise<void> {
  const value = { address: { socket_address: { address: '127.0.0.1' } } };
  const patch = { applyTo: 'LISTENER', match: { context: 'GATEWAY' }, patch: { operation: 'MERGE', value } };
  const filter = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    // In istiod's own namespace it is for the proxies of all.
    metadata: { name: 'loopback', namespace },
    spec: { configPatches: [patch] },
  };
  await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(filter));
}

/**
 * The Gateway API's Gateway `gw` in the proxy's namespace, for HTTPRoutes of all namespaces. It stands on a Service that
 * selects the proxy by its labels: Istio gives such a Gateway to no proxy otherwise.
 */
export async function applySharedGateway({ kubernetes }: Testbed, namespace: string, port: number): Promise<void> {
  const metadata = { name: 'gw', namespace };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: { istio: 'gw' }, ports: [{ name: 'http', port, targetPort: port }] },
  };
  const listener = { name: 'http', port, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } };
  const gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata,
    spec: {
      gatewayClassName: 'istio',
      addresses: [{ type: 'Hostname', value: `gw.${namespace}.svc.cluster.local` }],
      listeners: [listener],
    },
  };
  await kubernetes.kubectl(['apply', '-f', '-'], `${JSON.stringify(service)}\n---\n${JSON.stringify(gateway)}`);
}
