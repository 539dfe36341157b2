import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../testbed/ports.ts';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import { applyAll, openShop } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';

/** A Service whose traffic is connections: Envoy divides them by the weights of a tcp route. */

let desk: RealDesk;
let port = 0;

beforeAll(async () => {
  desk = await realDesk({ apps: { shop: { image: `${bed.registryHost}/shop`, rollout: { drain: '4s' } } } });
  const { staging: namespace } = desk.namespaces;
  const free = await freePort();
  await new Promise((resolve) => free.claimed.close(resolve));
  port = free.port;
  await openShop(namespace, 'v1', 1);
  const servers = [{ port: { number: port, name: 'tcp', protocol: 'TCP' }, hosts: ['*'] }];
  const gateway = { metadata: { name: 'raw', namespace }, spec: { selector: { istio: 'gw' }, servers } };
  const tcp = [{ match: [{ port }], route: [{ destination: { host: 'shop', port: { number: 80 } } }] }];
  const route = { metadata: { name: 'shop', namespace }, spec: { hosts: ['*'], gateways: ['raw'], tcp } };
  const apiVersion = 'networking.istio.io/v1';
  await kubectl(['delete', 'virtualservice', 'shop', '-n', namespace]);
  await applyAll([
    { apiVersion, kind: 'Gateway', ...gateway },
    { apiVersion, kind: 'VirtualService', ...route },
  ]);
});
afterAll(() => desk.end());

/** The version that a connection of its own leads to. */
async function version(): Promise<string> {
  const { headers, body } = await request(`http://127.0.0.1:${port}/`, { reset: true });
  await body.dump();
  return String(headers['x-version']);
}
const tried = () => version().catch(() => '');

test('connections are divided by the weights, and all go to stable after an abort', async () => {
  await expect.poll(tried, { timeout: 20_000 }).toBe('v1');
  const steps = [{ weight: 50, manual: true }];
  const id = await desk.ask('deploy', { app: 'shop', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  const working = desk.settle([id], 90_000);
  await expect.poll(tried, { timeout: 60_000, interval: 20 }).toBe('v2');
  const versions: string[] = [];
  for (let count = 0; count < 200; count++) versions.push(await version());
  const share = versions.filter((each) => each === 'v2').length / versions.length;
  expect(Math.abs(share - 0.5), `${share}`).toBeLessThan(4 * Math.sqrt(0.25 / versions.length));
  await desk.done('canary-abort', { app: 'shop', env: 'staging' });
  expect((await working)[0]).toMatchObject({ report: { kind: 'rolled-back', reason: 'aborted' } });
  const after: string[] = [];
  for (let count = 0; count < 50; count++) after.push(await version());
  expect(new Set(after)).toEqual(new Set(['v1']));
});
