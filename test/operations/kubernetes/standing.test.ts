import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../../src/core/run.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** Budgets, ServiceAccounts and volumes: what stands beside an app for long. */

let desk: RealDesk;
let ns = '';
const labels = { app: 'web' };
const create = (object: object) => kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify(object));

beforeAll(async () => {
  desk = await realDesk();
  ns = desk.namespaces.staging;
  const container = { name: 'web', image: bed.busybox, args: ['sleep', '3600'] };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
  await kubectl(['rollout', 'status', 'deployment/web', '-n', ns, '--timeout=60s']);
});
afterAll(() => desk.end());

const read = async (...args: string[]) => JSON.parse(await kubectl(['get', ...args, '-n', ns, '-o', 'json']));

/** A list, once it shows what a moment ago became true. */
async function listed(operation: string, part: string): Promise<Run['report']> {
  for (let tries = 0; ; tries++) {
    const { report } = await desk.done(operation, { env: 'staging' });
    if (JSON.stringify(report).includes(part) || tries > 40) return report;
    await sleep(250);
  }
}

test('a budget is set, counted, and turned around; one that allows nothing is warned of', async () => {
  const first = await desk.done('pdb-set', { app: 'web', env: 'staging', min: 1 });
  expect(first).toMatchObject({
    state: 'finished',
    plan: { summary: 'PodDisruptionBudget/web: at least 1 stay: 1 of 2 may be evicted at once' },
  });
  expect(await listed('pdbs', '2 of 2')).toMatchObject({
    columns: ['Budget', 'Rule', 'Healthy', 'May be evicted', 'Guards'],
    rows: [['web', 'at least 1 stay', '2 of 2, needs 1', '1', 'Deployment/web']],
  });
  const turned = await desk.done('pdb-set', { app: 'web', env: 'staging', max: '50%' });
  expect(turned).toMatchObject({ state: 'finished' });
  const { spec } = await read('pdb', 'web');
  expect(spec).toEqual({ maxUnavailable: '50%', selector: { matchLabels: labels } });
  const none = await desk.done('pdb-set', { app: 'web', env: 'staging', min: '100%' });
  expect(none.plan?.summary).toContain('can’t be drained');
  expect(await listed('pdbs', 'needs 2')).toMatchObject({ rows: [expect.arrayContaining(['2 of 2, needs 2'])] });
});

test('of min and max exactly one is given, and both are amounts', async () => {
  for (const more of [{}, { min: 1, max: 1 }])
    expect(await desk.done('pdb-set', { app: 'web', env: 'staging', ...more })).toMatchObject({
      fault: { code: 'BAD_INPUT', message: expect.stringContaining('one of the two') },
    });
  for (const min of ['101%', '-1', 'some', '1.5'])
    await expect(desk.ask('pdb-set', { app: 'web', env: 'staging', min })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(await desk.done('pdb-set', { app: 'deployment/no', env: 'staging', min: 1 })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
});

test('a ServiceAccount is made once, and listed with what runs under it', async () => {
  const input = {
    name: 'worker',
    env: 'staging',
    pull: ['login'],
    token: false,
    annotations: ['example.com/role=a=b'],
  };
  expect(await desk.done('serviceaccount-create', input)).toMatchObject({ state: 'finished' });
  expect(await read('serviceaccount', 'worker')).toMatchObject({
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'login' }],
    metadata: { annotations: { 'example.com/role': 'a=b' } },
  });
  expect(await desk.done('serviceaccount-create', input)).toMatchObject({ fault: { code: 'OBJECT_EXISTS' } });
  expect(await listed('serviceaccounts', 'worker')).toMatchObject({
    rows: [
      ['default', 'Deployment/web', '', 'yes', expect.any(String)],
      ['worker', '', 'login', 'no', expect.any(String)],
    ],
  });
});

test('a volume is made, listed with why it waits, kept while mounted, and deleted', { timeout: 90_000 }, async () => {
  const made = await desk.done('volume-create', { name: 'uploads', size: '1Gi', env: 'staging', class: 'none' });
  expect(made).toMatchObject({ state: 'finished', report: { objects: ['PersistentVolumeClaim/uploads'] } });
  const again = await desk.done('volume-create', { name: 'uploads', size: '1Gi', env: 'staging' });
  expect(again).toMatchObject({ fault: { code: 'OBJECT_EXISTS' } });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'uploads' } }];
  const containers = [{ name: 'a', image: bed.busybox, args: ['sleep', '3600'] }];
  await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'user' }, spec: { containers, volumes } });
  expect(await listed('volumes', 'storageclass')).toMatchObject({
    columns: ['Volume', 'State', 'Size', 'Class', 'Access', 'Mounted by', 'Age'],
    rows: [
      [
        'uploads',
        expect.stringMatching(/^Pending: .*"none" not found/),
        '1Gi',
        'none',
        'one node writes',
        'user',
        expect.any(String),
      ],
    ],
  });
  expect(await desk.done('volume-delete', { name: 'uploads', env: 'staging' })).toMatchObject({
    state: 'failed',
    fault: { code: 'STILL_USED', message: expect.stringContaining('user') },
  });
  await kubectl(['delete', 'pod', 'user', '-n', ns, '--now']);
  const deleted = await desk.done('volume-delete', { name: 'uploads', env: 'staging' });
  expect(deleted).toMatchObject({ state: 'finished', plan: { summary: expect.stringContaining('no data yet') } });
  expect(await kubectl(['get', 'pvc', '-n', ns])).toBe('');
});

test('a bound volume grows where its class lets it, never shrinks, and says what becomes of its data', async () => {
  const own = `grows-${Math.random().toString(36).slice(2, 8)}`;
  const storageClass = (name: string, allowVolumeExpansion: boolean) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'example.com/none',
    allowVolumeExpansion,
  });
  await create(storageClass(own, true));
  await create(storageClass(`${own}-not`, false));
  const storage = '1Gi';
  const accessModes = ['ReadWriteOnce'];
  const local = { path: '/nowhere' };
  for (const name of [own, `${own}-not`]) {
    await create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: { storageClassName: name, capacity: { storage }, accessModes, hostPath: local },
    });
    expect(await desk.done('volume-create', { name, size: storage, env: 'staging', class: name })).toMatchObject({
      state: 'finished',
    });
    await kubectl(['wait', `pvc/${name}`, '-n', ns, '--for=jsonpath={.status.phase}=Bound', '--timeout=30s']);
  }
  const resize = (name: string, size: string) => desk.done('volume-resize', { name, size, env: 'staging' });
  expect(await resize(own, '1000Mi')).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('can’t be made smaller') },
  });
  expect(await resize(`${own}-not`, '2Gi')).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('can’t grow') },
  });
  expect(await resize(own, '2Gi')).toMatchObject({ state: 'finished' });
  expect((await read('pvc', own)).spec.resources.requests.storage).toBe('2Gi');
  expect(await resize(own, '2048Mi')).toMatchObject({ report: { kind: 'unchanged' } });
  expect(await resize(`${own.slice(0, -1)}`, '2Gi')).toMatchObject({ fault: { code: 'NO_SUCH_OBJECT' } });
  expect(await listed('volumes', '(asked for 2Gi)')).toMatchObject({
    rows: expect.arrayContaining([expect.arrayContaining([own, 'Bound', '1Gi (asked for 2Gi)'])]),
  });
  const kept = await desk.done('volume-delete', { name: own, env: 'staging' });
  expect(kept.plan?.summary).toContain(`its data stays in PersistentVolume/${own}`);
  await kubectl(['delete', 'storageclass', own, `${own}-not`]);
  await kubectl(['delete', 'pv', own, `${own}-not`, '--wait=false']);
});
