import { request } from 'undici';
import { z } from 'zod';

/** A pod that a proxy sends requests to, as `IP:PORT`. */
export type Endpoint = {
  address: string;
  healthy: boolean /** Circuit breaking has taken it out. */;
  ejected: boolean;
};

// https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/clusters.proto
const Clusters = z.object({
  cluster_statuses: z.array(
    z.object({
      name: z.string(),
      host_statuses: z
        .array(
          z.object({
            address: z.object({ socket_address: z.object({ address: z.string(), port_value: z.number() }).optional() }),
            health_status: z.object({
              eds_health_status: z.string().optional(),
              failed_outlier_check: z.boolean().optional(),
            }),
          }),
        )
        .default([]),
    }),
  ),
});

/** Whom an Envoy would ask for one of its clusters, such as `outbound|80|v1|shop.NS.svc.cluster.local`. */
export async function envoyEndpoints(admin: string, cluster: string): Promise<Endpoint[]> {
  const { body } = await request(`${admin}/clusters?format=json`);
  const { cluster_statuses } = Clusters.parse(await body.json());
  const hosts = cluster_statuses.find(({ name }) => name === cluster)?.host_statuses ?? [];
  return hosts.map(({ address: { socket_address: at }, health_status: health }) => ({
    address: at ? `${at.address}:${at.port_value}` : '',
    healthy: health.eds_health_status === 'HEALTHY',
    ejected: health.failed_outlier_check ?? false,
  }));
}
