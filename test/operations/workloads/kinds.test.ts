import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { comesTo, field, image, put, rolledOut, template, web, workload } from './on-the-bed.ts';

let desk: RealDesk;
let staging: string;
beforeAll(async () => {
  const image = `${bed.registryHost}/web`;
  desk = await realDesk({ apps: { db: { image, kind: 'StatefulSet' }, agent: { image, kind: 'DaemonSet' } } });
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

const ask = (operation: string, app: string, more: Record<string, unknown> = {}) =>
  desk.done(operation, { app, env: 'staging', ...more });

const healthy = { state: 'finished', report: { kind: 'rolled-out', replicas: 1, ready: 1 } };

test.each([
  ['db', 'StatefulSet'],
  ['agent', 'DaemonSet'],
])('%s, a %s, is deployed anew, changed, followed, and rolled back', async (app, kind) => {
  expect(await ask('deploy', app, { tag: 'v1' })).toMatchObject({
    ...healthy,
    plan: { summary: expect.stringContaining('new in staging') },
  });
  expect(await ask('deploy', app, { tag: 'v2' })).toMatchObject({
    ...healthy,
    plan: { summary: 'web:v1 → web:v2' },
  });
  expect(await image(kind, staging, app)).toContain(web('v2'));
  const back = await ask('rollback', app);
  expect(back).toMatchObject(healthy);
  expect(back.plan?.summary).toBe('back from web:v2 to web:v1 (revision 1)');
  expect(await image(kind, staging, app)).toContain(web('v1'));
});

test('a DaemonSet takes no number of replicas', async () => {
  expect(await ask('deploy', 'agent', { tag: 'v2', replicas: 3 })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('one pod a node') },
  });
});

const readinessProbe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 };

test('a StatefulSet that a broken version holds up is freed by a rollback: the pods that it deletes are in the plan', async () => {
  await put(
    workload('StatefulSet', 'queue', staging, template('queue', web('v1'), { readinessProbe }), { replicas: 2 }),
  );
  await rolledOut(staging, 'statefulset', 'queue');
  await kubectl(['set', 'image', 'statefulset/queue', `queue=${web('v3')}`, '-n', staging]);
  const restarts = () =>
    field(staging, 'pod', 'queue-1', 'status', 'containerStatuses', 0, 'restartCount').catch(() => 0);
  await expect.poll(restarts, { timeout: 40_000, interval: 500 }).toBeGreaterThan(0);
  const back = await ask('rollback', 'statefulset/queue', { revision: 1 });
  expect(back.plan?.changes).toContainEqual({ path: 'Pod/queue-1', from: 'broken', to: 'made anew' });
  expect(back).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', replicas: 2, ready: 2 } });
  await comesTo(() => field(staging, 'pod', 'queue-1', 'spec', 'containers', 0, 'image'), web('v1'));
});

test('a rollback to a revision brings back the whole template, also what others changed, and can be undone', async () => {
  await put(workload('Deployment', 'web', staging, template('web', web('v1'), {})));
  await rolledOut(staging, 'deployment', 'web');
  await kubectl(['set', 'env', 'deployment/web', 'LEVEL=debug', '-n', staging]);
  await kubectl(['set', 'image', 'deployment/web', `web=${web('v2')}`, '-n', staging]);
  await rolledOut(staging, 'deployment', 'web');
  const back = await ask('rollback', 'web', { revision: 1 });
  expect(back).toMatchObject(healthy);
  expect(back.plan?.changes.map(({ path }) => path).sort()).toEqual([
    'spec.template.spec.containers[web].env[LEVEL].name',
    'spec.template.spec.containers[web].env[LEVEL].value',
    'spec.template.spec.containers[web].image',
  ]);
  const container = ['spec', 'template', 'spec', 'containers', 0];
  expect(await field(staging, 'deployment', 'web', ...container, 'env')).toBeUndefined();
  expect(await image('deployment', staging, 'web')).toBe(web('v1'));

  const { operation = '', input = {} } = back.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject(healthy);
  expect(await field(staging, 'deployment', 'web', ...container, 'env')).toEqual([{ name: 'LEVEL', value: 'debug' }]);

  expect(await ask('rollback', 'web', { revision: 77 })).toMatchObject({
    fault: { code: 'NO_SUCH_REVISION', hint: expect.stringContaining('(now)') },
  });
  expect(await ask('deploy', 'web', { tag: 'v1' })).toMatchObject(healthy);
});
