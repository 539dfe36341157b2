import { afterAll, beforeAll, expect, test } from 'vitest';
import { ben } from '../../support/engine.ts';
import { installIstioKinds } from '../../support/istio-crds.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let ns = '';
beforeAll(async () => {
  [desk] = await Promise.all([realDesk(), installIstioKinds()]);
  ns = desk.namespaces.staging;
  for (const name of ['web', 'cart', 'shop', 'pay', 'old', 'lone'])
    await kubectl(['create', 'service', 'clusterip', name, '-n', ns, '--tcp=80:8080']);
});
afterAll(() => desk.end());

const get = async (kind: string, name: string) =>
  JSON.parse(await kubectl(['get', kind, name, '-n', ns, '-o', 'json', '--show-managed-fields']));
const specOf = async (kind: string, name: string) => (await get(kind, name)).spec;
const make = (object: object, manager = 'kubectl') =>
  kubectl(['create', '-n', ns, `--field-manager=${manager}`, '-f', '-'], JSON.stringify(object));
const virtualService = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name, ...metadata },
  spec,
});
const rule = (name: string, spec: object) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name },
  spec,
});
const set = (operation: string, input: object) => desk.done(operation, { env: 'staging', ...input });
const undone = async ({ plan }: Awaited<ReturnType<typeof set>>) =>
  await desk.done(plan?.undo?.operation ?? '', plan?.undo?.input ?? {});

test('the whole body at once: one plan, a VirtualService and a DestinationRule, and all of it taken back', async () => {
  const body = {
    service: 'web',
    timeout: '10s',
    retries: { attempts: 3, perTryTimeout: '30s', retryOn: '5xx,reset' },
    circuitBreaker: { consecutiveErrors: 5, interval: '30s', baseEjectionTime: '1m', maxEjectionPercent: 50 },
    connectionPool: { maxConnections: 100, maxPendingRequests: 10, maxRequests: 200, maxRequestsPerConnection: 5 },
    loadBalancer: { policy: 'consistent-hash', cookie: 'session', cookieTtl: '1h' },
    mirror: { service: 'cart', percent: 10 },
  };
  const run = await set('traffic-set', body);
  expect(run).toMatchObject({
    state: 'finished',
    report: { objects: ['VirtualService/web', 'DestinationRule/web'] },
  });
  expect(await specOf('virtualservice', 'web')).toEqual({
    hosts: ['web'],
    http: [
      {
        name: 'primary',
        route: [{ destination: { host: 'web' } }],
        timeout: '10s',
        retries: { attempts: 3, perTryTimeout: '30s', retryOn: '5xx,reset' },
        mirror: { host: 'cart' },
        mirrorPercentage: { value: 10 },
      },
    ],
  });
  expect(await specOf('destinationrule', 'web')).toEqual({
    host: 'web',
    trafficPolicy: {
      loadBalancer: { consistentHash: { httpCookie: { name: 'session', ttl: '3600s' } } },
      outlierDetection: { consecutive5xxErrors: 5, interval: '30s', baseEjectionTime: '60s', maxEjectionPercent: 50 },
      connectionPool: {
        tcp: { maxConnections: 100 },
        http: { http1MaxPendingRequests: 10, http2MaxRequests: 200, maxRequestsPerConnection: 5 },
      },
    },
  });
  expect(await set('traffic-set', body)).toMatchObject({ report: { kind: 'unchanged' } });
  expect(await undone(run)).toMatchObject({ state: 'finished' });
  expect((await specOf('virtualservice', 'web')).http).toEqual([
    { name: 'primary', route: [{ destination: { host: 'web' } }] },
  ]);
  expect(await specOf('destinationrule', 'web')).toEqual({ host: 'web' });
});

test('each in a few words, with the way back to what was before', async () => {
  const first = await set('timeout', { service: 'cart', timeout: '5s' });
  expect(first).toMatchObject({ state: 'finished', plan: { summary: 'cart (cart/primary): timeout 5 s' } });
  const second = await set('timeout', { service: 'cart', timeout: '1500ms' });
  expect(second.plan?.changes).toEqual([
    { path: 'VirtualService/cart spec.http[primary].timeout', from: '5s', to: '1500ms' },
  ]);
  await set('retries', { service: 'cart', attempts: 2, on: '5xx' });
  const tried = await set('retries', { service: 'cart', attempts: 3, perTry: '2s' });
  expect((await specOf('virtualservice', 'cart')).http[0]).toMatchObject({
    timeout: '1500ms',
    retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx' },
  });
  await undone(tried);
  await undone(second);
  expect((await specOf('virtualservice', 'cart')).http[0]).toMatchObject({
    timeout: '5s',
    retries: { attempts: 2, retryOn: '5xx' },
  });
  await set('retries', { service: 'cart', attempts: 'off' });
  expect((await specOf('virtualservice', 'cart')).http[0].retries).toBeUndefined();

  await set('balance', { service: 'cart', policy: 'consistent-hash', header: 'x-user' });
  const random = await set('balance', { service: 'cart', policy: 'random' });
  expect(await specOf('destinationrule', 'cart')).toEqual({
    host: 'cart',
    trafficPolicy: { loadBalancer: { simple: 'RANDOM' } },
  });
  await undone(random);
  expect((await specOf('destinationrule', 'cart')).trafficPolicy.loadBalancer).toEqual({
    consistentHash: { httpHeaderName: 'x-user' },
  });
  await set('breaker', { service: 'cart', errors: 5, interval: '10s', max: 50 });
  await set('pool', { service: 'cart', connections: 7, pending: 3 });
  const off = await set('breaker', { service: 'cart', errors: 'off' });
  expect((await specOf('destinationrule', 'cart')).trafficPolicy).toEqual({
    loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } },
    connectionPool: { tcp: { maxConnections: 7 }, http: { http1MaxPendingRequests: 3 } },
  });
  await undone(off);
  expect((await specOf('destinationrule', 'cart')).trafficPolicy.outlierDetection).toEqual({
    consecutive5xxErrors: 5,
    interval: '10s',
    maxEjectionPercent: 50,
  });
  await set('mirror', { service: 'cart', to: 'web', percent: 5 });
  await set('mirror', { service: 'cart', to: 'off' });
  expect((await specOf('virtualservice', 'cart')).http[0]).not.toHaveProperty('mirror');
});

/** An admission policy of the cluster, as istiod's webhook would be one; it takes the API server a moment to heed it. */
async function forbid(resource: string, expression: string, message: string): Promise<void> {
  const api = 'admissionregistration.k8s.io/v1';
  const resourceRule = {
    apiGroups: ['*'],
    apiVersions: ['*'],
    operations: ['CREATE', 'UPDATE'],
    resources: [resource],
  };
  const name = `${ns}-${resource}`;
  const policy = { matchConstraints: { resourceRules: [resourceRule] }, validations: [{ expression, message }] };
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': ns } };
  const binding = { policyName: name, validationActions: ['Deny'], matchResources: { namespaceSelector } };
  for (const [kind, spec] of Object.entries({
    ValidatingAdmissionPolicy: policy,
    ValidatingAdmissionPolicyBinding: binding,
  }))
    await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: api, kind, metadata: { name }, spec }));
  const probe = JSON.stringify({ ...rule('probe', { host: 'lone' }) });
  await expect
    .poll(() => kubectl(['create', '--dry-run=server', '-n', ns, '-f', '-'], probe).catch(String), { timeout: 20_000 })
    .toContain(message);
}

const theirs = {
  hosts: ['shop', 'shop.example.com'],
  gateways: ['mesh', 'edge'],
  http: [
    { match: [{ uri: { prefix: '/admin' } }], route: [{ destination: { host: 'old' } }], timeout: '1s' },
    {
      name: 'cart',
      match: [{ uri: { prefix: '/cart' } }],
      rewrite: { uri: '/' },
      route: [{ destination: { host: `shop.${'NS'}.svc.cluster.local`, port: { number: 80 } } }],
    },
    {
      headers: { request: { add: { 'x-by': 'mesh' } } },
      route: [
        { destination: { host: 'shop', subset: 'stable' }, weight: 80 },
        { destination: { host: 'shop', subset: 'canary' }, weight: 20 },
      ],
    },
  ],
};

test('in somebody else’s VirtualService only the one field changes, and where several routes are meant it is asked which', async () => {
  const spec = JSON.parse(JSON.stringify(theirs).replace('NS', ns));
  await make(virtualService('shop-routes', spec), 'argocd-controller');
  await make(
    rule('shop', {
      host: 'shop',
      subsets: [
        { name: 'stable', labels: { v: '1' } },
        { name: 'canary', labels: { v: '2' }, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
      ],
    }),
  );
  expect(await set('timeout', { service: 'shop', timeout: '5s' })).toMatchObject({
    state: 'failed',
    fault: {
      code: 'WHICH_ROUTE',
      message: 'Several routes lead to shop: shop-routes/cart (/cart*), shop-routes/3.',
      hint: expect.stringContaining('route=shop-routes/cart'),
    },
  });
  expect(await set('timeout', { service: 'shop', timeout: '5s', route: 'nope' })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('No one route is called “nope”') },
  });
  const run = await set('timeout', { service: 'shop', timeout: '5s', route: 'shop-routes/3' });
  expect(run).toMatchObject({
    state: 'finished',
    plan: { takesOver: [{ field: 'spec.http', manager: 'argocd-controller' }] },
  });
  const now = await specOf('virtualservice', 'shop-routes');
  expect(now).toEqual({ ...spec, http: spec.http.with(2, { ...spec.http[2], timeout: '5s' }) });

  await set('retries', { service: 'shop', attempts: 4, route: 'all' });
  expect(
    (await specOf('virtualservice', 'shop-routes')).http.map((each: { retries?: object }) => each.retries),
  ).toEqual([undefined, { attempts: 4 }, { attempts: 4 }]);

  const moved = await set('traffic-set', {
    service: 'shop',
    route: 'shop-routes/3',
    canary: { enabled: true, weight: 35 },
  });
  expect((await specOf('virtualservice', 'shop-routes')).http[2].route).toEqual([
    { destination: { host: 'shop', subset: 'stable' }, weight: 65 },
    { destination: { host: 'shop', subset: 'canary' }, weight: 35 },
  ]);
  await undone(moved);
  expect((await specOf('virtualservice', 'shop-routes')).http[2].route[1].weight).toBe(20);

  const balanced = await set('breaker', { service: 'shop', errors: 3 });
  expect(balanced.plan?.summary).toContain('subset canary may overrule it');
  expect((await specOf('destinationrule', 'shop')).subsets).toHaveLength(2);
});

test('what somebody else changes between plan and write stays, but for the very field', async () => {
  const input = { service: 'pay', env: 'production', timeout: '5s' };
  const prod = desk.namespaces.production;
  await kubectl(['create', 'service', 'clusterip', 'pay', '-n', prod, '--tcp=80:8080']);
  const spec = { hosts: ['pay'], http: [{ name: 'main', route: [{ destination: { host: 'pay' } }], timeout: '1s' }] };
  await kubectl(['create', '-n', prod, '--field-manager=ci', '-f', '-'], JSON.stringify(virtualService('pay', spec)));
  const patch = (value: object[]) =>
    kubectl([
      'patch',
      'virtualservice',
      'pay',
      '-n',
      prod,
      '--field-manager=ci',
      '--type=json',
      '-p',
      JSON.stringify(value),
    ]);

  const id = await desk.ask('timeout', input);
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
  await patch([
    { op: 'add', path: '/spec/http/0/retries', value: { attempts: 7 } },
    {
      op: 'add',
      path: '/spec/http/0',
      value: { match: [{ uri: { exact: '/x' } }], route: [{ destination: { host: 'x' } }] },
    },
  ]);
  await desk.approve(id, ben);
  expect(await desk.lap(id), 'an approval is of the whole object').toMatchObject({ state: 'awaiting' });
  await desk.approve(id, ben);
  expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
  const read = async () =>
    JSON.parse(await kubectl(['get', 'virtualservice', 'pay', '-n', prod, '-o', 'json'])).spec.http;
  expect(await read()).toEqual([
    { match: [{ uri: { exact: '/x' } }], route: [{ destination: { host: 'x' } }] },
    { name: 'main', route: [{ destination: { host: 'pay' } }], timeout: '5s', retries: { attempts: 7 } },
  ]);

  const second = await desk.ask('timeout', { ...input, timeout: '9s' });
  await desk.lap(second);
  await patch([{ op: 'replace', path: '/spec/http/1/timeout', value: '7s' }]);
  await desk.approve(second, ben);
  expect(await desk.lap(second), 'another timeout than the one approved over').toMatchObject({ state: 'awaiting' });
  expect((await read())[1].timeout).toBe('7s');
});

test('bad input is said in words, and what the cluster refuses in its own', async () => {
  await set('timeout', { service: 'old', timeout: '5s' });
  expect(await set('timeout', { service: 'chart', timeout: '5s' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “cart”?') },
  });
  expect(await set('traffic-set', { service: 'old', canary: { weight: 20 } })).toMatchObject({
    fault: { code: 'NO_SIDES', hint: expect.stringContaining('strategy=canary') },
  });
  expect(await set('mirror', { service: 'old', to: 'nobody' })).toMatchObject({ fault: { code: 'NO_SUCH_OBJECT' } });
  expect(await set('mirror', { service: 'old', to: 'shop', subset: 'canry' })).toMatchObject({
    fault: { message: expect.stringContaining('only stable, canary') },
  });
  expect(await set('balance', { service: 'old', policy: 'consistent-hash' })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('takes a header or a cookie') },
  });
  expect(await set('traffic-set', { service: 'old' })).toMatchObject({ fault: { code: 'BAD_INPUT' } });
  for (const [operation, input] of [
    ['timeout', { timeout: 'soon' }],
    ['timeout', { timeout: '0s' }],
    ['retries', { attempts: -1 }],
    ['retries', { attempts: 3, on: 'monday' }],
    ['mirror', { to: 'web', percent: 120 }],
    ['traffic-set', { canary: { weight: 101 } }],
    ['traffic-set', { canary: { weight: 12.5 } }],
    ['traffic-set', { circuitBreaker: { consecutiveError: 5 } }],
    ['balance', { policy: 'fair' }],
  ] as const)
    await expect(set(operation, { service: 'old', ...input }), JSON.stringify(input)).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
});

test('what the cluster refuses is said in its own words, and nothing is half done', async () => {
  await forbid('destinationrules', 'object.spec.host != "lone"', 'lone is not to be touched, says the platform team');
  const refused = await set('traffic-set', { service: 'lone', timeout: '9s', loadBalancer: 'random' });
  expect(refused).toMatchObject({
    state: 'failed',
    fault: { code: 'CLUSTER_REFUSED', message: expect.stringContaining('says the platform team') },
  });
  expect(await kubectl(['get', 'virtualservices', '-n', ns, '-o', 'name'])).not.toContain('lone');
});

test('what there is, is shown in words', async () => {
  const { report } = await set('traffic', { service: 'shop' });
  expect(report).toMatchObject({
    rows: expect.arrayContaining([
      ['Route cart for /cart*', expect.stringContaining('leads to shop.'), 'VirtualService/shop-routes'],
      ['Route 3', 'leads to 80 % shop (stable), 20 % shop (canary)', 'VirtualService/shop-routes'],
      ['  timeout', '5s', 'VirtualService/shop-routes'],
      ['Circuit breaking', 'consecutive5xxErrors 3', 'DestinationRule/shop'],
      ['Subset canary', 'v=2', 'DestinationRule/shop'],
      ['mTLS', 'as the mesh has it', ''],
      ['May call', 'everybody', ''],
    ]),
  });
  const all = await set('mesh', {});
  expect(all.report).toMatchObject({
    rows: expect.arrayContaining([
      ['VirtualService/cart', 'cart', '1 routes', 'Shipmate'],
      ['VirtualService/shop-routes', 'shop, shop.example.com', '3 routes', ''],
    ]),
  });
});
