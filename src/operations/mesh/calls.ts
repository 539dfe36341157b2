import { z } from 'zod';
import type { Kube } from '../../core/kube.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import { rolloutsIn, rolloutsPermission } from '../kubernetes/list-known.ts';
import { type Edge, incoming, outgoing, type Seen } from './call-edges.ts';
import { callsSeen } from './calls-seen.ts';
import { meshList } from './objects.ts';
import { meshed, workloadPermissions } from './workloads.ts';

const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

async function look(kube: Kube, namespace: string, signal: AbortSignal): Promise<Seen> {
  const [owners, services, policies, routes, sidecars] = await Promise.all([
    Promise.all([
      ...workloadKinds.map(async (kind) => (await kube.look(kind, namespace, signal)).objects),
      rolloutsIn(kube, namespace, signal),
    ]),
    kube.look('Service', namespace, signal),
    meshList(kube, 'AuthorizationPolicy', namespace, signal),
    meshList(kube, 'VirtualService', namespace, signal),
    meshList(kube, 'Sidecar', namespace, signal),
  ]);
  return { workloads: owners.flat(), services: [...services.objects], mesh: { policies, routes, sidecars } };
}

async function edgesOf(
  run: Pick<RunContext<'kube', 'read'>, 'on' | 'place' | 'settings'>,
  input: { app: string; env: string },
  signal: AbortSignal,
): Promise<Edge[]> {
  const { cluster, namespace } = run.place;
  const kube = run.on.kube(cluster);
  const [about, seen] = await Promise.all([meshed(kube, run.settings, input, signal), look(kube, namespace, signal)]);
  return [...incoming(about, seen), ...outgoing(about, seen)];
}

export const calls = defineOperation({
  name: 'calls',
  summary: 'Say who calls an app, and whom it calls',
  effect: 'read',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/calls/:namespace/:app',
      summary: 'Who calls an app, and whom it calls',
      request: z.object({ namespace: EnvRef, app: WorkloadRef }),
      input: ({ namespace, app }) => ({ app, env: namespace }),
    }),
  ],
  needs: ['kube', 'metrics'],
  permissions: [
    'list,watch services,deployments.apps,statefulsets.apps,daemonsets.apps',
    rolloutsPermission,
    'list authorizationpolicies.security.istio.io,virtualservices.networking.istio.io,sidecars.networking.istio.io',
    ...workloadPermissions,
  ],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ place }) => ({ summary: `who calls ${place.app}, and whom it calls`, changes: [], takesOver: [] }),
  run: async (run, input) =>
    run.step('read', async ({ signal }) => {
      const [told, seen] = await Promise.all([
        edgesOf(run, input, signal),
        callsSeen(run.on.metrics, run.place, signal),
      ]);
      const edges = [...('edges' in seen ? seen.edges : []), ...told];
      return {
        kind: 'table' as const,
        title: `Calls of ${run.place.app} in ${run.place.env}`,
        columns: ['Who', 'Calls', 'Known how'],
        rows: edges.map(({ from, to, by }) => [from, to, by]),
        note:
          'edges' in seen
            ? 'From requests of the last 10 minutes (istio_requests_total), then from what the mesh is told.'
            : `From what the mesh is told (AuthorizationPolicies, VirtualServices, Sidecars), not from requests: ${seen.problem}.`,
      };
    }),
});
