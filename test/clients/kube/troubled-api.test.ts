import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clusters, createClusters } from '../../../src/clients/kube/clusters.ts';
import { type ApiProxy, type Instead, startApiProxy } from '../../support/api-proxy.ts';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';

/** The real API server behind a proxy that sometimes answers in its stead. */

const signal = new AbortController().signal;
let proxy: ApiProxy;
let clusters: Clusters;
let namespace: string;

beforeEach(async () => {
  [proxy, namespace] = await Promise.all([startApiProxy(), freshNamespace('troubled')]);
  clusters = createClusters({ kubeconfig: bed.kubeconfig, endpoint: proxy.url });
});
afterEach(async () => {
  await clusters.close();
  await proxy.stop();
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

const status = (code: number, reason: string, message: string, headers?: Record<string, string>): Instead => ({
  status: code,
  headers: headers ?? {},
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message },
});
const manifest = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { a: '1' },
});

/** Numbers between 0 and 1 that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

test('of 30 % answers that are 500 nobody hears, and the calls stay bounded', async () => {
  const chance = seeded(7);
  proxy.answer(() => (chance() < 0.3 ? status(500, 'InternalError', 'etcdserver: leader changed') : undefined));
  const names = Array.from({ length: 40 }, (_, n) => `c${n}`);
  const kube = clusters.kube('default');
  const ends = await Promise.allSettled(
    names.map((name) => kube.apply(manifest(name), { run: 'r', force: false }, signal)),
  );
  const lost = ends.filter(({ status: end }) => end === 'rejected');
  // Four tries each: one in 120 has bad luck four times.
  expect(lost.length).toBeLessThanOrEqual(3);
  expect(proxy.asked.length).toBeLessThanOrEqual(40 * 4 * 2);
  const made = JSON.parse(await kubectl(['get', 'configmaps', '-n', namespace, '-o', 'json']));
  expect(made.items.length).toBeGreaterThanOrEqual(40 - lost.length);
});

test('429 is waited for as long as it asks', async () => {
  let refusals = 2;
  const busy = status(429, 'TooManyRequests', 'too many requests', { 'retry-after': '1' });
  proxy.answer(() => (refusals-- > 0 ? busy : undefined));
  const began = performance.now();
  await clusters.kube('default').apply(manifest('late'), { run: 'r', force: false }, signal);
  // Node's timers may come a millisecond early.
  expect(performance.now() - began).toBeGreaterThan(1_990);
  expect(proxy.asked.length).toBe(3);
});

test('two who write at once: it is sent again, and given up after four tries in the server’s own words', async () => {
  const kube = clusters.kube('default');
  await kube.apply(manifest('shared'), { run: 'r', force: false }, signal);
  const race = status(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version');
  let races = 2;
  proxy.answer(({ method }) => (method === 'PATCH' && races-- > 0 ? race : undefined));
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shared' };
  expect(await kube.merge(ref, { data: { a: '2' } }, {}, signal)).toMatchObject({ data: { a: '2' } });

  proxy.answer(({ method }) => (method === 'PATCH' ? race : undefined));
  const before = proxy.asked.length;
  await expect(kube.merge(ref, { data: { a: '3' } }, {}, signal)).rejects.toMatchObject({
    code: 'CHANGED_MEANWHILE',
    message: expect.stringContaining('the object has been modified'),
  });
  expect(proxy.asked.length - before).toBeLessThanOrEqual(5);
  expect(await kubectl(['get', 'configmap', 'shared', '-n', namespace, '-o', 'jsonpath={.data.a}'])).toBe('2');
});

test('a picture outlives the API server, and says its age', { timeout: 30_000 }, async () => {
  const kube = clusters.kube('default');
  await kube.apply(manifest('seen'), { run: 'r', force: false }, signal);
  const first = await kube.look('ConfigMap', namespace, signal);
  expect(Date.now() - first.asOf).toBeLessThan(1_000);
  proxy.cut();
  await expect
    .poll(async () => Date.now() - (await kube.look('ConfigMap', namespace, signal)).asOf, { timeout: 10_000 })
    .toBeGreaterThan(1_500);
  expect((await kube.look('ConfigMap', namespace, signal)).objects.map(({ kind }) => kind)).toContain('ConfigMap');
  proxy.mend();
  await expect
    .poll(async () => Date.now() - (await kube.look('ConfigMap', namespace, signal)).asOf, { timeout: 15_000 })
    .toBeLessThan(500);
});

test('what was never seen is not guessed', async () => {
  proxy.cut();
  await expect(clusters.kube('default').look('Pod', namespace, AbortSignal.timeout(3_000))).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
  });
});

/** A Deployment `web` of so many pods, put there and followed by a run to its end. */
async function rollOut(tag: string, replicas: number, run: string) {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' };
  const labels = { app: 'web' };
  const containers = [{ name: 'web', image: `${bed.registryHost}/web:${tag}` }];
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } };
  const manifest = {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name: ref.name, namespace },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
  const kube = clusters.kube('default');
  await kube.apply(manifest, { run, force: false }, signal);
  return await kube.follow(ref, { run, deadline: Date.now() + 50_000, seen: () => {} }, signal);
}

test('a way back is not called failed for the pods that it leads away from, though no ReplicaSet is seen', {
  timeout: 60_000,
}, async () => {
  expect(await rollOut('v1', 1, 'first')).toMatchObject({ kind: 'complete' });
  expect(await rollOut('v3', 1, 'second')).toMatchObject({ kind: 'failed', trouble: { code: 'crash-loop' } });
  const silent = status(500, 'InternalError', 'etcdserver: request timed out');
  proxy.answer(({ path }) => (path.includes('/replicasets') ? silent : undefined));
  proxy.cut();
  proxy.mend();
  const back = rollOut('v1', 1, 'third');
  expect(await Promise.race([back, sleep(6_000, 'not judged')])).toBe('not judged');
  proxy.answer(() => undefined);
  expect(await back).toMatchObject({ kind: 'complete' });
});

test('what stood there before a change is not judged in its stead, though the watches are late', {
  timeout: 90_000,
}, async () => {
  expect(await rollOut('v1', 1, 'run')).toMatchObject({ kind: 'complete', ready: 1 });
  proxy.late(1_000);
  expect(await rollOut('v1', 2, 'run')).toMatchObject({ kind: 'complete', ready: 2 });
  expect(await rollOut('v3', 2, 'next')).toMatchObject({ kind: 'failed', trouble: { code: 'crash-loop' } });
  expect(await rollOut('v1', 2, 'back')).toMatchObject({ kind: 'complete', ready: 2 });
});
