import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let ns = '';

beforeAll(async () => {
  desk = await realDesk();
  ns = desk.namespaces.staging;
  for (const name of ['web', 'cart'])
    await kubectl(['create', 'service', 'clusterip', name, '-n', ns, '--tcp=80:8080']);
});
afterAll(async () => {
  await kubectl(['delete', 'crd', ...gatewayKinds.map(({ plural }) => `${plural}.${group}`), '--ignore-not-found']);
  await desk.end();
});

const group = 'gateway.networking.k8s.io';
const gatewayKinds = [
  { kind: 'HTTPRoute', plural: 'httproutes' },
  { kind: 'Gateway', plural: 'gateways' },
];
const ingress = async (name: string) =>
  JSON.parse(await kubectl(['get', 'ingress', name, '-n', ns, '-o', 'json'])).spec;
const set = (url: string, service: string, more: object = {}) =>
  desk.done('route-set', { url, service, port: 80, env: 'staging', ...more });

test('an address gets an Ingress, more paths go into the same one, and a path is pointed elsewhere', async () => {
  const first = await set('shop.example.com', 'web', { class: 'nginx' });
  expect(first).toMatchObject({
    state: 'finished',
    plan: { summary: 'shop.example.com/ → web:80 by Ingress/shop-example-com' },
  });
  expect(await set('shop.example.com/cart', 'web')).toMatchObject({ state: 'finished' });
  const moved = await set('shop.example.com/cart', 'cart');
  expect(moved).toMatchObject({ state: 'finished', report: { objects: ['Ingress/shop-example-com'] } });
  const path = (at: string, name: string) => ({
    path: at,
    pathType: 'Prefix',
    backend: { service: { name, port: { number: 80 } } },
  });
  expect(await ingress('shop-example-com')).toEqual({
    ingressClassName: 'nginx',
    rules: [{ host: 'shop.example.com', http: { paths: [path('/', 'web'), path('/cart', 'cart')] } }],
  });
  expect(await set('shop.example.com/cart', 'cart')).toMatchObject({ report: { kind: 'unchanged' } });
});

test('what is in somebody else’s Ingress is changed there, and the rest of it stays', async () => {
  const backend = { service: { name: 'web', port: { name: 'http' } } };
  const rules = ['a.example.com', 'b.example.com'].map((host) => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Exact', backend }] },
  }));
  const own = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'theirs' } };
  const tls = [{ hosts: ['b.example.com'], secretName: 'cert' }];
  await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify({ ...own, spec: { rules, tls } }));
  expect(await set('b.example.com', 'cart')).toMatchObject({ state: 'finished' });
  const now = await ingress('theirs');
  expect(now.rules[0]).toEqual(rules[0]);
  expect(now.rules[1].http.paths).toEqual([
    { path: '/', pathType: 'Exact', backend: { service: { name: 'cart', port: { number: 80 } } } },
  ]);
  const { report } = await desk.done('routes', { env: 'staging' });
  expect(report).toMatchObject({
    rows: expect.arrayContaining([
      ['https://b.example.com/', 'cart:80', 'Ingress/theirs', 'default class', expect.any(String)],
      ['shop.example.com/cart', 'cart:80', 'Ingress/shop-example-com', 'nginx', expect.any(String)],
    ]),
  });
});

test('a Service or port that is not there, and an address that is none, are refused', async () => {
  expect(await set('x.example.com', 'wep')).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “web”?') },
  });
  expect(await set('x.example.com', 'web', { port: 81 })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('only 80') },
  });
  for (const url of ['https://x.example.com', 'x.example.com:80/', 'x..example.com', '-x.com', 'x.com/ä', ''])
    await expect(set(url, 'web')).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(await set('x.example.com', 'web', { via: 'gateway' }), 'without the Gateway API').toMatchObject({
    fault: { code: 'UNKNOWN_KIND' },
  });
});

test('with the Gateway API there, HTTPRoutes are made and listed too', async () => {
  for (const { kind, plural } of gatewayKinds)
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: {
          name: `${plural}.${group}`,
          annotations: { 'api-approved.kubernetes.io': 'unapproved, a test of Shipmate' },
        },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind, plural, singular: kind.toLowerCase() },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      }),
    );
  const crds = gatewayKinds.map(({ plural }) => `crd/${plural}.${group}`);
  await kubectl(['wait', '--for=condition=Established', ...crds, '--timeout=30s']);
  const none = await set('api.example.com/v1', 'web', { via: 'gateway' });
  expect(none).toMatchObject({ fault: { message: expect.stringContaining('There is no Gateway') } });
  const gateway = { apiVersion: `${group}/v1`, kind: 'Gateway', metadata: { name: 'edge' }, spec: {} };
  await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify(gateway));
  expect(await set('api.example.com/v1', 'web', { via: 'gateway' })).toMatchObject({ state: 'finished' });
  expect(await set('api.example.com/v2', 'cart'), 'the route that holds the host already').toMatchObject({
    report: { objects: ['HTTPRoute/api-example-com'] },
  });
  const args = ['get', 'httproute', 'api-example-com', '-n', ns, '-o', 'json'];
  expect(JSON.parse(await kubectl(args)).spec).toEqual({
    parentRefs: [{ namespace: ns, name: 'edge' }],
    hostnames: ['api.example.com'],
    rules: [
      { matches: [{ path: { type: 'PathPrefix', value: '/v1' } }], backendRefs: [{ name: 'web', port: 80 }] },
      { matches: [{ path: { type: 'PathPrefix', value: '/v2' } }], backendRefs: [{ name: 'cart', port: 80 }] },
    ],
  });
  await kubectl(['delete', 'service', 'cart', '-n', ns]);
  const { report } = await desk.done('routes', { env: 'staging' });
  expect(report).toMatchObject({
    rows: expect.arrayContaining([
      ['api.example.com/v1', 'web:80', 'HTTPRoute/api-example-com', 'edge', expect.any(String)],
      [
        'api.example.com/v2',
        'cart:80 (there is no such Service)',
        'HTTPRoute/api-example-com',
        'edge',
        expect.any(String),
      ],
    ]),
  });
});
