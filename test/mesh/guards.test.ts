import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type JsonObject } from '../../src/core/json.ts';
import { envoyCluster, envoyListener, envoyRoutes, everyObject } from '../support/envoy.ts';
import { makeNamespace } from '../support/kubectl.ts';
import { applyAll, hostOf, mesh, shopDeployment, shopService } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';

/** Who may call, how, and what is told of it: read back from the sidecar that it is about. */

const ns = 'guarded';
let desk: RealDesk;
const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const keys = createServer(
  (_, answer) => void answer.end(JSON.stringify({ keys: [{ ...jwk, kid: 'one', alg: 'RS256' }] })),
);

beforeAll(async () => {
  await makeNamespace(ns);
  desk = await realDesk({ apps: { web: { image: 'web' } }, environments: { guarded: { namespace: ns } } });
  await new Promise<void>((resolve) => void keys.listen(0, '127.0.0.1', resolve));
  const shop = shopDeployment(ns, 'v1', 0);
  const labels = { app: 'web' };
  const template = { ...shop.spec.template, metadata: { labels } };
  const spec = { ...shop.spec, selector: { matchLabels: labels }, template };
  await applyAll([{ ...shop, metadata: { name: 'web', namespace: ns }, spec }, shopService(ns)]);
});
afterAll(async () => {
  keys.close();
  await desk.end();
});

const set = async (operation: string, input: object) => {
  const run = await desk.done(operation, { env: 'guarded', ...input });
  expect(run, JSON.stringify(run.fault)).toMatchObject({ state: 'finished' });
  return run;
};
const undone = async ({ plan }: Awaited<ReturnType<typeof set>>) =>
  await desk.done(plan?.undo?.operation ?? '', plan?.undo?.input ?? {});
const inbound = () => envoyListener(mesh.sidecarAdmin, 'virtualInbound');
const soon = { timeout: 15_000, interval: 100 };
const filters = async (name: string): Promise<JsonObject[]> =>
  everyObject(await inbound(), (each) => each.name === name && each.typed_config !== undefined);

/** The kinds of transport of the chains that take calls to ports in general. */
const transports = async () => {
  const chains = everyObject(
    await inbound(),
    (each) => Array.isArray(each.filters) && each.filter_chain_match !== undefined,
  );
  return [...new Set(chains.flatMap((chain) => at(chain, 'filter_chain_match', 'transport_protocol') ?? []))].sort();
};

test('mTLS: strict takes no plain text, disabled no TLS, permissive both', async () => {
  await set('mtls', { mode: 'strict' });
  await expect.poll(transports, soon).toEqual(['tls']);
  await set('mtls', { mode: 'disable' });
  await expect.poll(transports, soon).not.toContain('tls');
  await set('mtls', { mode: 'permissive' });
  await expect.poll(transports, soon).toEqual(expect.arrayContaining(['raw_buffer', 'tls']));
});

test('who may call becomes Envoy’s RBAC, and goes with it', async () => {
  const allowed = await set('callers-allow', { to: 'web', from: 'sa/api', methods: ['GET'], paths: ['/api/*'] });
  const denied = await set('callers-deny', { to: 'web', from: 'namespace/legacy' });
  const rules = async () => JSON.stringify(await filters('envoy.filters.http.rbac'));
  await expect.poll(rules, soon).toContain('"prefix":"/api/"');
  await expect.poll(rules, soon).toContain('DENY');
  expect(await rules()).toContain('/ns/guarded/sa/api');
  expect(await rules()).toContain('/ns/legacy/');
  await undone(allowed);
  await undone(denied);
  await expect.poll(rules, soon).not.toContain('/api/');
});

test('tokens are checked by Envoy, and asked for', async () => {
  const address = keys.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const issuer = 'https://id.example.com';
  const jwt = await set('jwt', {
    app: 'web',
    issuer,
    jwks: `http://127.0.0.1:${port}/jwks`,
    audiences: ['shop'],
    require: true,
  });
  await expect.poll(() => filters('envoy.filters.http.jwt_authn'), soon).not.toEqual([]);
  const [filter] = await filters('envoy.filters.http.jwt_authn');
  expect(JSON.stringify(filter)).toContain(`"issuer":"${issuer}"`);
  expect(JSON.stringify(filter)).toContain('"audiences":["shop"]');
  await expect
    .poll(async () => JSON.stringify(await filters('envoy.filters.http.rbac')), soon)
    .toContain('require-jwt-web');
  await undone(jwt);
  await expect.poll(() => filters('envoy.filters.http.jwt_authn'), soon).toEqual([]);
});

test('an outside host becomes a cluster, and requests are traced to it and logged', async () => {
  await set('external-set', { hosts: ['tracing.example.com'], port: 9411, protocol: 'http' });
  const outside = () => envoyCluster(mesh.sidecarAdmin, 'outbound|9411||tracing.example.com');
  await expect.poll(outside, soon).toMatchObject({ type: 'STRICT_DNS' });
  const logs = async () =>
    everyObject(await inbound(), (each) => String(each['@type']).endsWith('.HttpConnectionManager')).flatMap((each) =>
      Array.isArray(each.access_log) ? each.access_log : [],
    );
  await set('telemetry', { app: 'web', accessLog: true, provider: 'accesslog' });
  await expect.poll(logs, soon).not.toEqual([]);
  await set('telemetry', { app: 'web', accessLog: false });
  await expect.poll(logs, soon).toEqual([]);
  await set('telemetry', { app: 'web', tracing: 25, provider: 'zipkin' });
  const sampling = async () =>
    JSON.stringify(everyObject(await inbound(), (each) => each.random_sampling !== undefined));
  await expect.poll(sampling, soon).toContain('"random_sampling":{"value":25}');
  await set('external-delete', { name: 'tracing-example-com' });
  await expect.poll(outside, soon).toBeUndefined();
});

test('a gateway opens a host, and closes it', async () => {
  const name = 'extra';
  const host = `extra-${hostOf(ns)}`;
  await set('gateway-set', { name, hosts: [host], port: mesh.gatewayPort, protocol: 'http', selector: 'istio=gw' });
  await applyAll([
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, namespace: ns },
      spec: { hosts: [host], gateways: [name], http: [{ route: [{ destination: { host: 'shop' } }] }] },
    },
  ]);
  await expect.poll(() => envoyRoutes(mesh.gatewayAdmin, host), soon).toHaveLength(1);
  await set('gateway-delete', { name });
  await expect.poll(() => envoyRoutes(mesh.gatewayAdmin, host), soon).toEqual([]);
});
