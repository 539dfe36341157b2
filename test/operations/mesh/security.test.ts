import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { installIstioKinds } from '../../support/istio-crds.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let ns = '';
beforeAll(async () => {
  [desk] = await Promise.all([realDesk({ apps: { api: { image: 'api' } } }), installIstioKinds()]);
  ns = desk.namespaces.staging;
  for (const [name, serviceAccountName] of [
    ['web', undefined],
    ['api', 'api-runner'],
  ])
    await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify(deployment(String(name), serviceAccountName)));
});
afterAll(() => desk.end());

const deployment = (name: string, serviceAccountName: string | undefined) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { serviceAccountName, containers: [{ name, image: `${bed.registryHost}/web:v1` }] },
    },
  },
});

const specOf = async (kind: string, name: string) =>
  JSON.parse(await kubectl(['get', kind, name, '-n', ns, '-o', 'json'])).spec;
const namesOf = async (kind: string) => await kubectl(['get', kind, '-n', ns, '-o', 'name']);
const set = (operation: string, input: object) => desk.done(operation, { env: 'staging', ...input });
const undone = async ({ plan }: Awaited<ReturnType<typeof set>>) =>
  await desk.done(plan?.undo?.operation ?? '', plan?.undo?.input ?? {});
const web = { matchLabels: { app: 'web' } };

test('mTLS is set for the namespace, for an app, and for one of its ports', async () => {
  const strict = await set('mtls', { mode: 'STRICT' });
  expect(strict).toMatchObject({ state: 'finished', report: { objects: ['PeerAuthentication/default'] } });
  expect(await specOf('peerauthentication', 'default')).toEqual({ mtls: { mode: 'STRICT' } });
  expect(await set('mtls', { mode: 'strict' })).toMatchObject({ report: { kind: 'unchanged' } });
  await set('mtls', { mode: 'permissive', app: 'web', port: 8080 });
  await set('mtls', { mode: 'strict', app: 'web' });
  expect(await specOf('peerauthentication', 'web')).toEqual({
    selector: web,
    mtls: { mode: 'STRICT' },
    portLevelMtls: { 8080: { mode: 'PERMISSIVE' } },
  });
  await set('mtls', { mode: 'permissive' });
  expect(await undone(await set('mtls', { mode: 'disable' }))).toMatchObject({ state: 'finished' });
  expect(await specOf('peerauthentication', 'default')).toEqual({ mtls: { mode: 'PERMISSIVE' } });
  await expect(set('mtls', { mode: 'on' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(await set('mtls', { mode: 'strict', port: 80 })).toMatchObject({ fault: { code: 'BAD_INPUT' } });
});

test('who may call an app: allowed, denied, shown in words, and taken back', async () => {
  const allowed = await set('callers-allow', { to: 'web', from: 'api', methods: ['get'], paths: ['/api/*'] });
  expect(allowed).toMatchObject({
    state: 'finished',
    plan: {
      summary: 'api → web: allowed; everybody else is shut out from web',
      changes: expect.arrayContaining([{ path: 'who may call web', from: 'everybody', to: 'only what an ALLOW says' }]),
    },
  });
  const name = String(allowed.plan?.undo?.input.name);
  expect(await specOf('authorizationpolicy', name)).toEqual({
    selector: web,
    action: 'ALLOW',
    rules: [
      {
        from: [{ source: { principals: [`*/ns/${ns}/sa/api-runner`] } }],
        to: [{ operation: { methods: ['GET'], paths: ['/api/*'] } }],
      },
    ],
  });
  expect(await set('callers-deny', { to: 'web', from: 'namespace/legacy', ports: [9090] })).toMatchObject({
    state: 'finished',
    plan: { changes: expect.arrayContaining([expect.objectContaining({ path: 'who may call web' })]) },
  });
  const own = await set('callers-allow', { to: 'api', from: 'web' });
  expect(own.plan?.summary).toContain('runs as the service account “default”');
  const { report } = await set('callers', { app: 'web' });
  expect(report).toMatchObject({
    rows: [
      ['ALLOW', `sa/${ns}/api-runner`, 'GET /api/*', 'this app', name, 'Shipmate'],
      [
        'DENY',
        'namespace/legacy',
        'ports 9090',
        'this app',
        expect.stringMatching(/^deny-namespace-legacy-to-web-/),
        'Shipmate',
      ],
    ],
    note: expect.stringContaining('only what an ALLOW says, but for what a DENY says'),
  });
  const back = await undone(allowed);
  expect(back).toMatchObject({
    state: 'finished',
    plan: { summary: expect.stringContaining('from then on may call: everybody') },
  });
  expect(await namesOf('authorizationpolicy')).not.toContain(name);

  const theirs = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'theirs' },
    spec: {},
  };
  await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify(theirs));
  expect(await set('callers-drop', { name: 'theirs' })).toMatchObject({ fault: { code: 'NOT_OURS' } });
  expect(await set('callers-drop', { name: 'allow-web-to-apy' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “allow-web-to-api”?') },
  });
  for (const wrong of [
    { from: 'a b' },
    { from: 'api', methods: ['FETCH'] },
    { from: 'api', paths: ['api'] },
    { from: 'api', ports: [0] },
  ])
    await expect(set('callers-allow', { to: 'web', ...wrong })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('who calls whom is told from policies, gateways and sidecars, and it is said that it is from those', async () => {
  const istio = (kind: string, name: string, spec: object) => ({
    apiVersion: `${kind === 'AuthorizationPolicy' ? 'security' : 'networking'}.istio.io/v1`,
    kind,
    metadata: { name },
    spec,
  });
  await kubectl(['create', 'service', 'clusterip', 'web', '-n', ns, '--tcp=80:8080']);
  const hosts = ['shop.example.com'];
  const http = [{ route: [{ destination: { host: 'web' } }] }];
  const principals = [`cluster.local/ns/${ns}/sa/api-runner`, 'cluster.local/ns/other/sa/batch'];
  const egress = [{ hosts: [`./web.${ns}.svc.cluster.local`, 'istio-system/*'] }];
  for (const object of [
    istio('VirtualService', 'edge', { hosts, gateways: ['edge-gateway'], http }),
    istio('Sidecar', 'api', { workloadSelector: { labels: { app: 'api' } }, egress }),
    istio('AuthorizationPolicy', 'callers', { selector: web, rules: [{ from: [{ source: { principals } }] }] }),
  ])
    await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify(object));
  const { report } = await set('calls', { app: 'web' });
  expect(report).toMatchObject({
    rows: [
      ['gateway edge-gateway (shop.example.com)', 'web', 'is led there by VirtualService/edge'],
      ['api', 'web', 'may, says AuthorizationPolicy/callers'],
      ['sa/other/batch', 'web', 'may, says AuthorizationPolicy/callers'],
      ['api', 'web', 'knows of it by Sidecar/api'],
      ['web', 'api', 'may, says AuthorizationPolicy/allow-web-to-api'],
    ],
    note: expect.stringContaining('not from requests'),
  });
  expect((await set('calls', { app: 'api' })).report).toMatchObject({
    rows: expect.arrayContaining([
      ['api', 'web', 'may, says AuthorizationPolicy/callers'],
      ['api', 'web', 'knows of it by Sidecar/api'],
    ]),
  });
});

test('tokens are checked, asked for, and not looked at any more', async () => {
  const issuer = 'https://id.example.com';
  const jwks = `${issuer}/jwks`;
  const on = await set('jwt', { app: 'api', issuer, jwks, require: true });
  expect(on).toMatchObject({
    state: 'finished',
    report: { objects: ['RequestAuthentication/jwt-api', 'AuthorizationPolicy/require-jwt-api'] },
  });
  const selector = { matchLabels: { app: 'api' } };
  expect(await specOf('requestauthentication', 'jwt-api')).toEqual({ selector, jwtRules: [{ issuer, jwksUri: jwks }] });
  expect(await specOf('authorizationpolicy', 'require-jwt-api')).toEqual({
    selector,
    action: 'DENY',
    rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }],
  });
  const off = await set('jwt', { app: 'api', issuer: 'off' });
  expect(off).toMatchObject({ state: 'finished' });
  expect(await namesOf('requestauthentication')).toBe('');
  expect(await namesOf('authorizationpolicy')).not.toContain('require-jwt-api');
  expect(await undone(off)).toMatchObject({ state: 'finished' });
  expect(await specOf('requestauthentication', 'jwt-api')).toEqual({ selector, jwtRules: [{ issuer, jwksUri: jwks }] });
  expect(await namesOf('authorizationpolicy')).toContain('require-jwt-api');
  const other = 'https://other.example.com';
  await set('jwt', { app: 'api', issuer: other, audiences: ['shop'] });
  expect((await specOf('requestauthentication', 'jwt-api')).jwtRules).toEqual([
    { issuer, jwksUri: jwks },
    { issuer: other, audiences: ['shop'] },
  ]);
  await expect(set('jwt', { app: 'api', issuer, jwks: 'ftp://x' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('gateways let hosts in at ports; what others have at the same gateway stays', async () => {
  const shop = { name: 'shop', hosts: ['shop.example.com'] };
  const made = await set('gateway-set', { ...shop, tls: 'shop-cert' });
  expect(made).toMatchObject({ state: 'finished', plan: { undo: { operation: 'gateway-delete' } } });
  await set('gateway-set', { ...shop, port: 80, redirect: true });
  await set('gateway-set', { name: 'shop', hosts: ['pay.example.com'], tls: 'pay-cert' });
  await set('gateway-set', { ...shop, tls: 'newer-cert' });
  const server = (host: string, number: number, name: string, tls: object, protocol = 'HTTPS') => ({
    port: { number, name, protocol },
    hosts: [host],
    tls,
  });
  expect(await specOf('gateways.networking.istio.io', 'shop')).toEqual({
    selector: { istio: 'ingressgateway' },
    servers: [
      server('shop.example.com', 443, 'https-443', { mode: 'SIMPLE', credentialName: 'newer-cert' }),
      server('shop.example.com', 80, 'http-80', { httpsRedirect: true }, 'HTTP'),
      server('pay.example.com', 443, 'https-443-2', { mode: 'SIMPLE', credentialName: 'pay-cert' }),
    ],
  });
  const rival = await set('gateway-set', { name: 'other', hosts: ['shop.example.com'], tls: 'x' });
  expect(rival.plan?.summary).toContain('shop has the same host and port');
  for (const [input, problem] of [
    [{ ...shop, protocol: 'https' }, 'needs a certificate'],
    [{ ...shop, protocol: 'http', tls: 'x' }, 'takes no certificate'],
    [{ ...shop, tls: 'x', redirect: true }, 'Only plain HTTP'],
  ] as const)
    expect(await set('gateway-set', input)).toMatchObject({
      fault: { code: 'BAD_INPUT', message: expect.stringContaining(problem) },
    });
  for (const hosts of [[], ['shop'], ['https://shop.example.com'], ['shop.*.com']])
    await expect(set('gateway-set', { name: 'shop', hosts })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await kubectl(
    ['create', '-n', ns, '-f', '-'],
    JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'by-shop' },
      spec: { hosts: ['shop.example.com'], gateways: ['shop'], http: [{ route: [{ destination: { host: 'web' } }] }] },
    }),
  );
  expect(await set('gateway-delete', { name: 'shop' })).toMatchObject({
    state: 'finished',
    plan: { summary: expect.stringContaining('nothing comes in any more by VirtualService/by-shop') },
  });
  expect(await set('gateway-delete', { name: 'othr' })).toMatchObject({
    fault: { message: expect.stringContaining('Did you mean “other”?') },
  });
});

test('hosts outside the mesh are registered, added to, listed and taken out', async () => {
  const stripe = await set('external-set', { hosts: ['api.example.com'] });
  expect(stripe).toMatchObject({ state: 'finished' });
  await set('external-set', { hosts: ['api.example.com', 'files.example.com'], port: 8443 });
  await set('external-set', { hosts: ['*.wild.example.com'], port: 80 });
  expect(await specOf('serviceentry', 'api-example-com')).toEqual({
    location: 'MESH_EXTERNAL',
    resolution: 'DNS',
    hosts: ['api.example.com', 'files.example.com'],
    ports: [
      { number: 443, name: 'tls-443', protocol: 'TLS' },
      { number: 8443, name: 'tcp-8443', protocol: 'TCP' },
    ],
  });
  expect((await set('externals', {})).report).toMatchObject({
    rows: [
      ['any-wild-example-com', '*.wild.example.com', '80 HTTP', 'NONE', 'Shipmate', expect.any(String)],
      [
        'api-example-com',
        'api.example.com, files.example.com',
        '443 TLS, 8443 TCP',
        'DNS',
        'Shipmate',
        expect.any(String),
      ],
    ],
  });
  expect(await undone(stripe)).toMatchObject({ state: 'finished' });
  expect(await namesOf('serviceentry')).not.toContain('api-example-com');
  expect(await set('external-delete', { name: 'any-wild-example-co' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “any-wild-example-com”?') },
  });
  expect(await set('external-delete', { name: 'any-wild-example-com' })).toMatchObject({ state: 'finished' });
  expect(await set('external-set', { hosts: ['*'] })).toMatchObject({ fault: { code: 'BAD_INPUT' } });
});

test('what the mesh tells of requests: logs, traces and metrics, and back', async () => {
  const own = {
    tracing: [
      { providers: [{ name: 'zipkin' }], randomSamplingPercentage: 1, customTags: { a: { literal: { value: 'b' } } } },
    ],
  };
  await kubectl(
    ['create', '-n', ns, '-f', '-'],
    JSON.stringify({ apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry', metadata: { name: 'theirs' }, spec: own }),
  );
  const run = await set('telemetry', { accessLog: true, tracing: 10 });
  expect(run).toMatchObject({ state: 'finished', report: { objects: ['Telemetry/theirs'] } });
  expect(await specOf('telemetry', 'theirs')).toEqual({
    accessLogging: [{ providers: [{ name: 'envoy' }], disabled: false }],
    tracing: [{ ...own.tracing[0], randomSamplingPercentage: 10 }],
  });
  await undone(run);
  expect(await specOf('telemetry', 'theirs')).toMatchObject({
    accessLogging: [{ disabled: true }],
    tracing: [{ randomSamplingPercentage: 1 }],
  });
  await set('telemetry', { app: 'web', metrics: false });
  expect(await specOf('telemetry', 'web')).toEqual({
    selector: web,
    metrics: [
      { providers: [{ name: 'prometheus' }], overrides: [{ match: { metric: 'ALL_METRICS' }, disabled: true }] },
    ],
  });
  expect(await set('telemetry', {})).toMatchObject({ fault: { code: 'BAD_INPUT' } });
  await expect(set('telemetry', { tracing: 101 })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});
