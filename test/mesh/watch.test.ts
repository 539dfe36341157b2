import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import { applyAll, hostOf, mesh, openShop, shopDeployment, shopRoute } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { dropped, shareOf, startTraffic, type Traffic } from '../support/traffic.ts';

/** The time after a promotion, in which a version may still turn out to be bad. */

let desk: RealDesk;
let traffic: Traffic;

/** Pods read at their start how many of their requests fail, from a ConfigMap that need not be there. */
const fails = { name: 'FAILS', valueFrom: { configMapKeyRef: { name: 'shop', key: 'fails', optional: true } } };

beforeAll(async () => {
  const quick = { source: 'envoy' as const, scrapeInterval: '1s', queryTimeout: '2s' };
  desk = await realDesk({
    apps: { shop: { image: `${bed.registryHost}/shop`, analysis: 'quick', rollout: { drain: '1s', watch: '90s' } } },
    analyses: { quick: { ...quick, metrics: [{ kind: 'success-rate' }] } },
    prometheus: mesh.prometheusUrl,
  });
  const { staging } = desk.namespaces;
  const deployment = shopDeployment(staging, 'v1');
  const [container] = deployment.spec.template.spec.containers;
  const template = { ...deployment.spec.template, spec: { containers: [{ ...container, env: [fails] }] } };
  await openShop(staging);
  await applyAll([{ ...deployment, spec: { ...deployment.spec, template } }]);
  await kubectl(['rollout', 'status', 'deployment/shop', '-n', staging, '--timeout=60s']);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 200, headers: { host: hostOf(staging) } });
});
afterAll(async () => {
  await traffic.stop();
  await desk.end();
});

const seen = async (what: string, format: string) =>
  await kubectl(['get', what, '-n', desk.namespaces.staging, '-o', format, '--ignore-not-found']);
const started = () =>
  desk.ask('deploy', {
    app: 'shop',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [50, 100],
    bake: '5s',
  });
const step = async (id: string, name: string) => (await desk.run(id)).steps[name];
const patient = { timeout: 90_000, interval: 100 };

test('a version that turns bad after its promotion is rolled back to the one before, by itself', {
  timeout: 200_000,
}, async () => {
  const id = await started();
  const working = desk.settle([id], 170_000);
  await expect.poll(async () => (await step(id, 'weight 100'))?.memo, patient).toBeDefined();
  // The pods of the canary run already; those that stable gets now fail.
  const metadata = { name: 'shop', namespace: desk.namespaces.staging };
  await applyAll([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { fails: '0.4' } }]);
  await expect.poll(() => step(id, 'watch'), patient).toMatchObject({ state: 'started' });
  const promoted = Date.now();
  await kubectl(['delete', 'configmap', 'shop', '-n', metadata.namespace]);
  const [run] = await working;
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'regression' } });
  if (run?.report?.kind !== 'rolled-back') return;
  expect(run.report.detail).toMatch(/^success rate \d\d(\.\d+)? %, below the limit of 95 %, after \d+ requests/);
  expect(await seen('deployment/shop', 'jsonpath={..image}')).toBe(`${bed.registryHost}/shop:v1`);
  expect(JSON.parse(await seen('virtualservice/shop', 'json')).spec.http).toEqual(shopRoute('any').spec.http);
  const back = traffic.shots.findLast(({ version }) => version === 'v2');
  console.log(`watch: ${(back?.at ?? 0) - promoted} ms from the promotion to the last answer of the bad version`);
  await sleep(1_000);
  const after = traffic.within(Date.now() - 900, Date.now());
  expect(after.length).toBeGreaterThan(50);
  expect(shareOf(after, 'v1')).toBe(1);
  expect(after.filter(({ status }) => status !== 200)).toEqual([]);
  expect(dropped(traffic.shots)).toEqual([]);
});

test('one that stays well is watched until somebody has seen enough', { timeout: 200_000 }, async () => {
  const id = await started();
  const working = desk.settle([id], 170_000);
  await expect.poll(async () => (await step(id, 'watch'))?.note, patient).toMatch(/^watched for another \d+ s/);
  await desk.done('canary-promote', { app: 'shop', env: 'staging' });
  expect((await working)[0]).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(await seen('deployment/shop', 'jsonpath={..image}')).toContain('/shop:v2@sha256:');
  expect(dropped(traffic.shots)).toEqual([]);
});
