/** Several versions of the example app behind one Service, divided by subsets: for a mesh of any bed. */
export type SplitShop = {
  namespace: string;
  host: string;
  /** Deployments, Service, Gateway and DestinationRule; without a VirtualService nothing is routed yet. */
  objects: object[];
  /** A VirtualService that gives each version its share, in percent. */
  route(weights: Record<string, number>): object;
  /** What Envoy calls a version's cluster. */
  cluster(version: string): string;
};

type Where = { namespace: string; registry: string; port: number; versions: readonly string[] };

const istio = 'networking.istio.io/v1';

export function splitShop({ namespace, registry, port, versions }: Where): SplitShop {
  const host = `${namespace}.test`;
  const make = (apiVersion: string, kind: string, name: string, spec: object) => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec,
  });
  const deployment = (version: string) => {
    const labels = { app: 'shop', version };
    const readinessProbe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };
    const image = `${registry}/shop:${version}`;
    const containers = [{ name: 'shop', image, ports: [{ containerPort: 8080 }], readinessProbe }];
    const template = { metadata: { labels }, spec: { containers } };
    return make('apps/v1', 'Deployment', `shop-${version}`, { selector: { matchLabels: labels }, template });
  };
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  const servers = [{ port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: [host] }];
  const subsets = versions.map((version) => ({ name: version, labels: { version } }));
  const objects = [
    ...versions.map(deployment),
    make('v1', 'Service', 'shop', { selector: { app: 'shop' }, ports }),
    make(istio, 'Gateway', 'shop', { selector: { istio: 'gw' }, servers }),
    make(istio, 'DestinationRule', 'shop', { host: 'shop', subsets }),
  ];
  const route = (weights: Record<string, number>) => {
    const to = Object.entries(weights).map(([subset, weight]) => ({ destination: { host: 'shop', subset }, weight }));
    return make(istio, 'VirtualService', 'shop', { hosts: [host], gateways: ['shop'], http: [{ route: to }] });
  };
  const cluster = (version: string) => `outbound|80|${version}|shop.${namespace}.svc.cluster.local`;
  return { namespace, host, objects, route, cluster };
}
