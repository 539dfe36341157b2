import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClusters } from '../../../src/clients/kube/clusters.ts';
import { parseSettings } from '../../../src/config/settings-file.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { locate } from '../../../src/core/place.ts';
import type { Run } from '../../../src/core/run.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { findWorkload } from '../../../src/operations/workloads/find.ts';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { put, rolledOut, sleeps, template, web, workload } from './on-the-bed.ts';

/** What runs and is no app yet, in a real cluster: `/ship apps`, `/ship app adopt`, and what a pattern lets be deployed. */

let desk: RealDesk;
let [staging, production, preview] = ['', '', ''];

const annotated = (object: JsonObject, annotations: JsonObject): JsonObject => ({
  ...object,
  metadata: { ...(typeof object.metadata === 'object' ? object.metadata : {}), annotations },
});

beforeAll(async () => {
  preview = await freshNamespace('peek');
  desk = await realDesk({
    environments: { 'peek-*': { namespace: '{env}' } },
    apps: { 'shop-*': { image: `${bed.registryHost}/{app}`, images: [`${bed.registryHost}/*`], owner: 'engineers' } },
  });
  ({ staging, production } = desk.namespaces);
  const pods = (name: string) => template(name, web('v1'));
  const ready = { readinessProbe: { httpGet: { path: '/', port: 8080 } }, ports: [{ containerPort: 8080 }] };
  await put(
    workload('Deployment', 'shop-cart', staging, pods('shop-cart')),
    workload('Deployment', 'shop-cart', production, pods('shop-cart')),
    workload('Deployment', 'shop-cart', preview, pods('shop-cart')),
    annotated(workload('Deployment', 'shop-old', staging, template('shop-old', bed.busybox, sleeps)), {
      'shipmate.dev/app': 'legacy',
    }),
    workload('StatefulSet', 'db', staging, template('db', bed.busybox, sleeps)),
    workload('Deployment', 'orders', staging, template('orders', web('v1'), ready), { replicas: 2 }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders-http', namespace: staging },
      spec: { selector: { app: 'orders' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  );
  for (const [namespace, name] of [
    [staging, 'shop-cart'],
    [production, 'shop-cart'],
    [preview, 'shop-cart'],
    [staging, 'shop-old'],
  ] as const)
    await rolledOut(namespace, 'deployment', name);
});
afterAll(async () => {
  await desk.end();
  await kubectl(['delete', 'namespace', preview, '--wait=false']);
});

const rowsOf = ({ report }: Run) => (report?.kind === 'table' ? report.rows : [[JSON.stringify(report)]]);

/** The watch that all share hears of what became ready a moment later. */
async function listed(input: Record<string, unknown>, part: string): Promise<string[][]> {
  for (let tries = 0; ; tries++) {
    const rows = rowsOf(await desk.done('apps', input));
    if (JSON.stringify(rows).includes(part) || tries > 40) return rows;
    await sleep(250);
  }
}

test('/ship apps lists what is known, found and unknown', async () => {
  const rows = await listed({}, `staging 1/1, production and second 1/1, ${preview} 1/1`);
  expect(rows).toEqual([
    ['web', 'known', '', '', ''],
    ['shop-cart', 'found: shop-*', 'engineers', 'web:v1', `staging 1/1, production and second 1/1, ${preview} 1/1`],
    ['deployment/orders', 'unknown', '', 'web:v1', expect.stringContaining('staging')],
    ['deployment/shop-old', expect.stringContaining('the app “legacy”'), '', expect.any(String), expect.any(String)],
    ['statefulset/db', 'unknown', '', expect.any(String), expect.stringContaining('staging')],
  ]);
});

test('status tells of an app that only a pattern covers', async () => {
  const { report } = await desk.done('status', { env: 'staging' });
  expect(report).toMatchObject({
    kind: 'status',
    apps: [
      { app: 'web', problem: 'not deployed' },
      { app: 'shop-cart', env: 'staging', replicas: 1, ready: 1, image: 'web:v1' },
    ],
  });
});

test('status tells of environments that a pattern makes of namespaces', async () => {
  const { report } = await desk.done('status', {});
  const lines = report?.kind === 'status' ? report.apps : [];
  expect(lines.filter(({ env }) => env === preview)).toMatchObject([{ app: 'shop-cart', ready: 1 }]);
});

test('/ship app adopt shows an entry that, pasted, is about the very workload', async () => {
  const { report } = await desk.done('app-adopt', { workload: 'deployment/orders', env: 'staging' });
  if (report?.kind !== 'text') throw new Error(JSON.stringify(report));
  expect(report.text).toContain('rollout: {service: orders-http}');
  expect(report.text).toContain('# Replicas: 2');
  expect(report.text).toContain('readiness GET / at 8080');
  const file = `${report.text}\nenvironments: { staging: { namespace: ${staging} } }\n`;
  const settings = parseSettings(file, { name: 'shipmate.yaml', folder: '/' }, [...catalogue.keys()]);
  const clusters = createClusters({ kubeconfig: bed.shipmateKubeconfig });
  const place = locate(settings, { app: 'orders', env: 'staging' });
  const found = await findWorkload(clusters.kube('default'), place, AbortSignal.timeout(10_000));
  await clusters.close();
  expect(found?.ref).toMatchObject({ kind: 'Deployment', name: 'orders', namespace: staging });
  expect(place).toMatchObject({ app: 'orders', repository: `${bed.registryHost}/web` });
});

test('what a pattern covers is deployed at once, as the answer says; what it does not cover is not', async () => {
  const { report } = await desk.done('app-adopt', { workload: 'deployment/shop-cart', env: 'staging' });
  expect(report).toMatchObject({ text: expect.stringContaining(`/deploy shop-cart staging image=${web('TAG')}`) });
  const image = web('v2');
  const deployed = await desk.done('deploy', { app: 'shop-cart', env: 'staging', image });
  expect(deployed).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect(await desk.done('deploy', { app: 'shop-old', env: 'staging', image })).toMatchObject({
    fault: { code: 'COVERS_OTHER' },
  });
});
