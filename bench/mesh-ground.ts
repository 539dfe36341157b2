import { request } from 'undici';
import { type Mesh, startMesh } from '../testbed/mesh/mesh.ts';
import { ensurePackages } from '../testbed/packages.ts';
import type { Ground } from './ground.ts';

export const namespace = 'switch';

const log = (line: string) => console.error(`[bed] ${line}`);
const labelled = (app: string) => ({ selector: { matchLabels: { app } }, template: { metadata: { labels: { app } } } });

function deployment(name: string, image: string) {
  const { selector, template } = labelled(name);
  const readinessProbe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };
  const spec = { containers: [{ name: 'shop', image, ports: [{ containerPort: 8080 }], readinessProbe }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: 2, selector, template: { ...template, spec } },
  };
}

const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

const networking = (kind: string, name: string, spec: object) => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name, namespace },
  spec,
});

let started: Promise<Mesh> | undefined;

/** A mesh beside the ground's bed, with the shop v1 behind its gateway; and, with `beside`, v2 as its canary. */
export async function meshGround({ bed }: Ground, beside: boolean): Promise<Mesh> {
  started ??= ensurePackages(['mesh'], log).then(() => startMesh(bed, log));
  const mesh = await started;
  const { kubectl } = bed.kubernetes;
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait']);
  await kubectl(['create', 'namespace', namespace]);
  const [v1, v2] = await Promise.all(['v1', 'v2', 'v4'].map((tag) => mesh.pushShop(tag)));
  const port = { number: mesh.gateway.port, name: 'http', protocol: 'HTTP' };
  const objects = [
    deployment('shop', v1 ?? ''),
    service('shop'),
    ...(beside ? [deployment('shop-canary', v2 ?? ''), service('shop-canary')] : []),
    networking('Gateway', 'shop', { selector: { istio: 'gw' }, servers: [{ port, hosts: ['*'] }] }),
    networking('VirtualService', 'shop', {
      hosts: ['*'],
      gateways: ['shop'],
      http: [{ route: [{ destination: { host: 'shop' } }] }],
    }),
  ];
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  for (const { metadata, kind } of objects)
    if (kind === 'Deployment') await kubectl(['rollout', 'status', `deployment/${metadata.name}`, '-n', namespace]);
  while ((await ask(mesh)).version !== 'v1') await new Promise((resolve) => setTimeout(resolve, 200));
  return mesh;
}

/** One request through the gateway. */
export async function ask({ gateway }: Mesh): Promise<{ status: number; version: string }> {
  const { statusCode, headers, body } = await request(gateway.url);
  await body.dump();
  return { status: statusCode, version: String(headers['x-version'] ?? '') };
}
