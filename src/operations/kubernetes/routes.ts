import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { listKnown } from './list-known.ts';
import { ageOf, byName, list, nameIn, words } from './reading.ts';
import { showsEnvironment } from './shows-environment.ts';

export const routeKinds = {
  Ingress: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  HTTPRoute: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
  Gateway: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' },
} as const;

/** Where an address leads: `shop.example.com/cart` to a Service's port. */
export type RouteLine = { url: string; service: string; port: string; object: JsonObject; tls: boolean };

const portOf = (port: unknown) => (port === undefined ? '' : String(port));

function linesOfIngress(object: JsonObject): RouteLine[] {
  const secured = list(at(object, 'spec', 'tls')).flatMap(({ hosts }) => words(hosts));
  const backendOf = (backend: JsonObject | undefined) => {
    const service = at(backend, 'service');
    const port = at(service, 'port', 'number') ?? at(service, 'port', 'name');
    return { service: text(at(service, 'name')), port: portOf(port) };
  };
  const fallback = at(object, 'spec', 'defaultBackend');
  const rules = list(at(object, 'spec', 'rules')).flatMap((rule) =>
    list(at(rule, 'http', 'paths')).map((path) => ({
      url: `${text(rule.host) || '*'}${text(path.path) || '/'}`,
      ...backendOf(list([path.backend ?? {}])[0]),
      object,
      tls: secured.includes(text(rule.host)),
    })),
  );
  const rest = fallback === undefined ? [] : [{ url: '*', ...backendOf(list([fallback])[0]), object, tls: false }];
  return [...rules, ...rest];
}

function linesOfRoute(object: JsonObject): RouteLine[] {
  const hosts = words(at(object, 'spec', 'hostnames'));
  return (hosts.length > 0 ? hosts : ['*']).flatMap((host) =>
    list(at(object, 'spec', 'rules')).flatMap((rule) => {
      const matches = list(rule.matches);
      const paths = matches.length > 0 ? matches.map((match) => text(at(match, 'path', 'value')) || '/') : ['/'];
      return paths.flatMap((path) =>
        list(rule.backendRefs).map(({ name, port }) => ({
          url: `${host}${path}`,
          service: text(name),
          port: portOf(port),
          object,
          tls: false,
        })),
      );
    }),
  );
}

export const linesOf = (object: JsonObject): RouteLine[] =>
  object.kind === 'Ingress' ? linesOfIngress(object) : linesOfRoute(object);

/** All addresses that lead into a namespace, by Ingress and by HTTPRoute where the cluster knows it. */
export async function routesOfNamespace(kube: Kube, namespace: string, signal: AbortSignal): Promise<RouteLine[]> {
  const [ingresses, httpRoutes] = await Promise.all([
    listKnown(kube, { ...routeKinds.Ingress, namespace }, signal),
    listKnown(kube, { ...routeKinds.HTTPRoute, namespace }, signal),
  ]);
  return [...ingresses.sort(byName), ...httpRoutes.sort(byName)].flatMap(linesOf);
}

/** Who answers for it: a class of Ingress, or the Gateways it hangs on and what they think of it. */
function servedBy(object: JsonObject): string {
  if (object.kind === 'Ingress') {
    const [address] = list(at(object, 'status', 'loadBalancer', 'ingress'));
    const legacy = at(object, 'metadata', 'annotations', 'kubernetes.io/ingress.class');
    const name = text(at(object, 'spec', 'ingressClassName') ?? legacy) || 'default class';
    return [name, text(address?.ip) || text(address?.hostname)].filter(Boolean).join(' at ');
  }
  const refused = list(at(object, 'status', 'parents'))
    .flatMap(({ conditions }) => list(conditions))
    .filter(({ status }) => status === 'False')
    .map(({ message, reason }) => text(message) || text(reason));
  const gateways = list(at(object, 'spec', 'parentRefs')).map(({ name }) => text(name));
  return [gateways.join(', '), ...refused].filter(Boolean).join(': ');
}

export const routes = showsEnvironment({
  name: 'routes',
  summary: 'List which addresses lead to which Services, by Ingress and HTTPRoute',
  rest: { path: '/routes/:namespace', summary: 'Addresses and the Services they lead to' },
  permissions: ['list services,ingresses.networking.k8s.io,httproutes.gateway.networking.k8s.io'],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const kube = run.on.kube(cluster);
    const [lines, services] = await Promise.all([
      routesOfNamespace(kube, namespace, signal),
      kube.list({ apiVersion: 'v1', kind: 'Service', namespace }, signal),
    ]);
    const known = new Set(services.map(nameIn));
    const rows = lines.map(({ url, service, port, object, tls }) => [
      tls ? `https://${url}` : url,
      `${service}:${port}${known.has(service) ? '' : ' (there is no such Service)'}`,
      `${text(object.kind)}/${nameIn(object)}`,
      servedBy(object),
      ageOf(object, run.now()),
    ]);
    return {
      kind: 'table' as const,
      title: `Routes in ${env}`,
      columns: ['Address', 'Leads to', 'By', 'Served by', 'Age'],
      rows,
    };
  },
});
