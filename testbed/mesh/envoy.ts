import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Part } from '../launch.ts';
import type { Testbed } from '../testbed.ts';
import { envoyProgram } from './envoy-program.ts';

export type Envoy = Part & {
  /** Its admin address: /config_dump, /clusters, /stats/prometheus. */
  admin: string;
};

/**
 * Envoy's own labels, but for the cluster: by itself it would cut `outbound|80||shop.ns.svc.cluster.local` at the first
 * dot. Istio ends such names with a semicolon for this.
 */
const tags = [
  { tag_name: 'envoy.cluster_name', regex: '^cluster\\.((outbound\\|[^;]+|inbound\\|[^;]+|[^.;|]+);?\\.)' },
  { tag_name: 'envoy.response_code_class' },
  { tag_name: 'envoy.response_code' },
  { tag_name: 'envoy.http_conn_manager_prefix' },
];

const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

function bootstrap(node: object, istiod: number, admin: number): object {
  const ads = { ads: {}, resource_api_version: 'V3' };
  const endpoint = { endpoint: { address: address(istiod) } };
  return {
    node,
    admin: { address: address(admin) },
    stats_config: { use_all_default_tags: false, stats_tags: tags },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'istiod' } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [
        {
          name: 'istiod',
          type: 'STATIC',
          connect_timeout: '1s',
          http2_protocol_options: { connection_keepalive: { interval: '5s', timeout: '2s' } },
          load_assignment: { cluster_name: 'istiod', endpoints: [{ lb_endpoints: [endpoint] }] },
        },
        // Where a sidecar would get its certificates; there are none here, and Envoy refuses a name that it doesn't know.
        { name: 'sds-grpc', type: 'STATIC', connect_timeout: '1s' },
      ],
    },
    layered_runtime: {
      layers: [{ name: 'static', static_layer: { 'overload.global_downstream_max_connections': 50_000 } }],
    },
  };
}

/** What a proxy tells istiod that it is. */
export type MeshProxy = {
  name: string;
  type: 'router' | 'sidecar';
  ip: string;
  namespace: string;
  labels: Record<string, string>;
};

/** A stock Envoy that takes its whole configuration from istiod, as one of Istio's proxies does. */
export async function startEnvoy(
  bed: Testbed,
  proxy: MeshProxy,
  istiod: number,
  log: (line: string) => void,
): Promise<Envoy> {
  const { name, type, ip, namespace, labels } = proxy;
  const [program, admin] = await Promise.all([envoyProgram(log), bed.port()]);
  const node = {
    id: `${type}~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    cluster: `${name}.${namespace}`,
    metadata: { NAMESPACE: namespace, CLUSTER_ID: 'Kubernetes', LABELS: labels, ISTIO_VERSION: '1.31.0' },
  };
  const file = join(bed.dir, `envoy-${name}.json`);
  await writeFile(file, JSON.stringify(bootstrap(node, istiod, admin)));
  const url = `http://127.0.0.1:${admin}`;
  // A sidecar waits for certificates for ever; what it was told can be read all the same.
  const path = type === 'router' ? 'ready' : 'server_info';
  const ready = async () => (await fetch(`${url}/${path}`, { signal: AbortSignal.timeout(1_000) })).ok;
  // Two beds on one machine must not share Envoy's memory for restarts.
  const args = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
  // As Istio starts it: open connections are ended after their next answer when a listener has got other filters.
  // By itself Envoy would let them go by the old ones for ten minutes.
  args.push('--drain-strategy', 'immediate', '--drain-time-s', '45', '--component-log-level', 'misc:error');
  const part = await bed.launch(`envoy-${name}`, program, args, { ready });
  return { ...part, admin: url };
}
