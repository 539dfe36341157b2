import { afterEach, beforeEach, expect, test } from 'vitest';
import { fault } from '../../../src/core/errors.ts';
import { furnish } from '../../fakes/small-cluster.ts';
import { redisForFile } from '../../support/redis.ts';
import { type RestBed, restBed } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
  furnish(bed.world);
});
afterEach(async () => bed.close());

const web = { service: 'web', env: 'staging' };

test.each([
  [
    'POST',
    'traffic/staging/web',
    {
      retries: { attempts: 3, perTryTimeout: '30s' },
      circuitBreaker: { consecutiveErrors: 5, interval: '30s' },
      canary: { enabled: true, weight: 20 },
    },
    'traffic-set',
    {
      ...web,
      retries: { attempts: 3, perTryTimeout: 30_000 },
      circuitBreaker: { consecutiveErrors: 5, interval: 30_000 },
      canary: { enabled: true, weight: 20 },
    },
  ],
  [
    'POST',
    'traffic/staging/web',
    { timeout: null, loadBalancer: 'random' },
    'traffic-set',
    { ...web, timeout: null, loadBalancer: { policy: 'random' } },
  ],
  [
    'POST',
    'traffic/staging/web/fault',
    { delay: '2s', percent: 10, for: '5m' },
    'fault',
    { ...web, delay: 2_000, percent: 10, for: 300_000 },
  ],
  ['DELETE', 'traffic/staging/web/fault', undefined, 'fault-off', web],
  ['PUT', 'mtls/staging', { mode: 'strict' }, 'mtls', { mode: 'strict', env: 'staging' }],
  [
    'PUT',
    'callers/staging/shop/allow',
    { from: 'my-app', methods: ['GET'] },
    'callers-allow',
    { to: 'shop', from: 'my-app', env: 'staging', methods: ['GET'] },
  ],
  [
    'PUT',
    'jwt/staging/shop',
    { issuer: 'https://id.example.com', require: true },
    'jwt',
    { app: 'shop', env: 'staging', issuer: 'https://id.example.com', require: true },
  ],
  [
    'PUT',
    'gateways/staging/edge',
    { hosts: ['shop.example.com'], tls: 'cert' },
    'gateway-set',
    { name: 'edge', env: 'staging', hosts: ['shop.example.com'], tls: 'cert', port: 443 },
  ],
  [
    'PUT',
    'externals/staging',
    { hosts: ['api.example.com'] },
    'external-set',
    { env: 'staging', hosts: ['api.example.com'], port: 443 },
  ],
  ['PUT', 'telemetry/staging', { accessLog: true }, 'telemetry', { env: 'staging', accessLog: true }],
] as const)('%s %s %o asks for %s', async (method, path, sent, operation, input) => {
  const { status, body } = await bed.send('ana', method, path, sent);
  expect(status, JSON.stringify(body)).toBe(202);
  expect(body.data).toMatchObject({ operation, state: 'requested' });
  expect((await bed.engine.store.read(body.data.run))?.input).toEqual(input);
});

test('what is wrong in a body is said field by field', async () => {
  const bad = { retries: { attempts: -1, often: true }, canary: { weight: 120 }, timeout: 'soon', fautl: 1 };
  const { status, body } = await bed.send('ana', 'POST', 'traffic/staging/web', bad);
  expect(status).toBe(400);
  for (const said of [
    'retries.attempts',
    '“often” is not a field of retries',
    'canary.weight: must be at most 100 %',
    'timeout: must be a duration',
    '“fautl”',
  ])
    expect(body.error.message).toContain(said);
});

test('in a cluster without Istio that is what is said', async () => {
  const { kube } = bed.world;
  const list = kube.list;
  kube.list = async (selection, signal) => {
    if (!selection.apiVersion.includes('istio')) return await list(selection, signal);
    throw fault('UNKNOWN_KIND', { cluster: 'default', ...selection });
  };
  const { body } = await bed.send('ana', 'POST', 'traffic/staging/web', { timeout: '5s' });
  await bed.work(body.data.run);
  expect(await bed.engine.store.read(body.data.run)).toMatchObject({
    state: 'failed',
    fault: { code: 'NO_MESH', message: expect.stringContaining('There is no Istio in this cluster') },
  });
});
