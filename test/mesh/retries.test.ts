import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../support/bed.ts';
import { applyAll, hostOf, mesh, openShop, shopRoute } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { startTraffic, type Traffic } from '../support/traffic.ts';

/** A route that tries again whatever fails: its callers see no failure, and the judge must. */

let desk: RealDesk;
let traffic: Traffic;

beforeAll(async () => {
  const metrics = [{ kind: 'success-rate' as const }];
  desk = await realDesk({
    apps: { shop: { image: `${bed.registryHost}/shop`, analysis: 'quick', rollout: { drain: '1s' } } },
    analyses: {
      quick: { source: 'envoy', scrapeInterval: '1s', queryTimeout: '2s', metrics },
    },
    prometheus: mesh.prometheusUrl,
  });
  const { staging } = desk.namespaces;
  await openShop(staging);
  const route = shopRoute(staging);
  const retries = { attempts: 5, retryOn: '5xx' };
  await applyAll([{ ...route, spec: { ...route.spec, http: route.spec.http.map((each) => ({ ...each, retries })) } }]);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 200, headers: { host: hostOf(staging) } });
});
afterAll(async () => {
  await traffic.stop();
  await desk.end();
});

test('a version of which 7 % fail is rolled back although the proxy’s retries leave no caller a failure', async () => {
  const input = { app: 'shop', env: 'staging', tag: 'v4', strategy: 'canary', weights: [30], bake: '60s' };
  const [run] = await desk.settle([await desk.ask('deploy', input)], 100_000);
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'regression' } });
  if (run?.report?.kind === 'rolled-back')
    expect(run.report.detail).toMatch(/^success rate \d\d(\.\d+)? % against 100 % after \d+ requests \(p/);
  expect(run?.plan?.warnings).toBeUndefined();
  expect(traffic.shots.some(({ version }) => version === 'v4')).toBe(true);
  expect(traffic.shots.filter(({ status }) => status !== 200)).toEqual([]);
});
