import { endpointsOf, isReady } from '../../core/endpoints.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { rolloutsIn, rolloutsPermission } from './list-known.ts';
import { byName, entries, hasLabels, isKept, labelsText, list, nameIn, podSpecOf } from './reading.ts';
import { containerPorts } from './service-expose.ts';
import { showsEnvironment } from './shows-environment.ts';

type Seen = { services: JsonObject[]; slices: JsonObject[]; pods: JsonObject[]; workloads: JsonObject[] };

const portsText = (service: JsonObject): string =>
  list(at(service, 'spec', 'ports'))
    .map(({ port, targetPort, nodePort, protocol }) => {
      const target = targetPort === undefined || targetPort === port ? '' : ` → ${String(targetPort)}`;
      const node = nodePort === undefined ? '' : ` (node ${String(nodePort)})`;
      return `${String(port)}${protocol === undefined || protocol === 'TCP' ? '' : `/${text(protocol)}`}${target}${node}`;
    })
    .join(', ');

/** Ready addresses, and all of them: `2 of 3`. */
function endpointsText(service: JsonObject, slices: readonly JsonObject[]): string {
  const all = new Map(
    endpointsOf(slices, nameIn(service)).map((endpoint) => [String(at(endpoint, 'addresses', 0)), isReady(endpoint)]),
  );
  return `${[...all.values()].filter(Boolean).length} of ${all.size}`;
}

/** What is wrong with a Service, as far as its pods and their owners tell; empty where nothing is. */
function warningOf(service: JsonObject, { pods, workloads }: Seen): string {
  const selector = at(service, 'spec', 'selector');
  const type = at(service, 'spec', 'type');
  if (type === 'ExternalName' || entries(selector).length === 0) return '';
  const chosen = pods.filter((pod) => hasLabels(pod, selector));
  const owners = workloads.filter((workload) => hasLabels(workload, selector, 'spec', 'template'));
  if (chosen.length === 0 && owners.length === 0) return 'the selector fits no pod and no workload';
  const known = [...chosen, ...owners].flatMap((object) => containerPorts(podSpecOf(object)));
  const lost = list(at(service, 'spec', 'ports'))
    .map(({ port, targetPort }) => targetPort ?? port)
    .filter((target) =>
      typeof target === 'number'
        ? known.length > 0 && !known.some(({ port }) => port === target)
        : !known.some(({ name }) => name === target),
    );
  if (lost.length > 0) return `no container has the port ${lost.map(String).join(', ')}`;
  return chosen.length === 0 ? `no pods of ${owners.map(nameIn).join(', ')} are running` : '';
}

function rowOf(service: JsonObject, seen: Seen): string[] {
  const headless = at(service, 'spec', 'clusterIP') === 'None';
  const external = text(at(service, 'spec', 'externalName'));
  const [ingress] = list(at(service, 'status', 'loadBalancer', 'ingress'));
  const address = text(ingress?.ip) || text(ingress?.hostname);
  return [
    nameIn(service),
    [headless ? 'Headless' : text(at(service, 'spec', 'type')), address || external].filter(Boolean).join(' '),
    portsText(service),
    labelsText(at(service, 'spec', 'selector')),
    endpointsText(service, seen.slices),
    warningOf(service, seen),
  ];
}

export const services = showsEnvironment({
  name: 'services',
  summary: 'List Services with their ready endpoints, and what is wrong with them',
  rest: { path: '/services/:namespace', summary: 'Services with their endpoints' },
  permissions: [
    'list,watch services,pods,endpointslices.discovery.k8s.io',
    'list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
    rolloutsPermission,
  ],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const kube = run.on.kube(cluster);
    const kinds = ['Service', 'EndpointSlice', 'Pod', 'Deployment', 'StatefulSet', 'DaemonSet'] as const;
    const sights = await Promise.all([
      ...kinds.map(async (kind) => (await kube.look(kind, namespace, signal)).objects),
      rolloutsIn(kube, namespace, signal),
    ]);
    const [found = [], slices = [], pods = [], ...owners] = sights.map((objects) => [...objects]);
    const workloads = owners.flat().filter((object) => !isKept(object));
    const seen: Seen = { services: found, slices, pods, workloads };
    return {
      kind: 'table' as const,
      title: `Services in ${env}`,
      columns: ['Service', 'Type', 'Ports', 'Selector', 'Ready', 'Warning'],
      rows: found.sort(byName).map((service) => rowOf(service, seen)),
    };
  },
});
