import { request } from 'undici';
import { inject } from 'vitest';
import { bed } from './bed.ts';
import { kubectl } from './kubectl.ts';
import type { MeshAddress } from './mesh-address.ts';

export const mesh: MeshAddress = inject('mesh');

const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };

/** The example app's Deployment. */
export const shopDeployment = (namespace: string, tag: string, replicas = 2) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        containers: [
          {
            name: 'shop',
            image: `${bed.registryHost}/shop:${tag}`,
            ports: [{ containerPort: 8080 }],
            readinessProbe: probe,
          },
        ],
      },
    },
  },
});

export const shopService = (namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'shop', namespace },
  spec: { selector: { app: 'shop' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

/** The host by which the gateway knows a namespace's shop. */
export const hostOf = (namespace: string) => `${namespace}.test`;

/** All namespaces share the gateway's one port, each with a host of its own. */
export const shopGateway = (namespace: string) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'shop', namespace },
  spec: {
    selector: { istio: 'gw' },
    servers: [{ port: { number: mesh.gatewayPort, name: 'http', protocol: 'HTTP' }, hosts: [hostOf(namespace)] }],
  },
});

export const shopRoute = (namespace: string) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'shop', namespace },
  spec: {
    hosts: [hostOf(namespace)],
    gateways: ['shop'],
    http: [{ name: 'all', route: [{ destination: { host: 'shop' } }] }],
  },
});

export const applyAll = (objects: readonly object[]) =>
  kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));

/** The shop at a version behind the gateway, answering. */
export async function openShop(namespace: string, tag = 'v1', replicas = 2): Promise<void> {
  await applyAll([
    shopDeployment(namespace, tag, replicas),
    shopService(namespace),
    shopGateway(namespace),
    shopRoute(namespace),
  ]);
  await kubectl(['rollout', 'status', 'deployment/shop', '-n', namespace, '--timeout=60s']);
  const headers = { host: hostOf(namespace) };
  for (const end = Date.now() + 20_000; ; ) {
    const ok = await ask(headers).catch(() => false);
    if (ok) return;
    if (Date.now() > end) throw new Error(`no answer from the shop in ${namespace}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function ask(headers: Record<string, string>): Promise<boolean> {
  const { statusCode, body } = await request(mesh.gatewayUrl, { headers });
  await body.dump();
  return statusCode === 200;
}
