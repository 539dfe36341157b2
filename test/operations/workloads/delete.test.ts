import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { comesTo, names, put, rolledOut, sleeps, template, workload } from './on-the-bed.ts';

let desk: RealDesk;
let staging: string;
beforeAll(async () => {
  desk = await realDesk();
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

const service = (name: string, app: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: staging },
  spec: { selector: { app }, ports: [{ port: 80 }] },
});

const remove = (app: string, more: Record<string, unknown> = {}) =>
  desk.done('workload-delete', { app, env: 'staging', ...more });

test('the plan lists the pods and what leads to them; the rest stays unless it is asked for', async () => {
  await put(workload('Deployment', 'web', staging, template('web', bed.busybox, sleeps)), service('web', 'web'));
  await kubectl(['autoscale', 'deployment/web', '-n', staging, '--min=1', '--max=2', '--cpu=50%']);
  await rolledOut(staging, 'deployment', 'web');
  const [pod = ''] = await names(staging, 'pods', 'app=web');

  const gone = await remove('web');
  expect(gone).toMatchObject({
    state: 'finished',
    report: { kind: 'changed', objects: ['Deployment/web'] },
    plan: { changes: [{ path: 'Deployment/web', from: 'there', to: 'deleted' }] },
  });
  expect(gone.plan?.summary).toContain(`deletes Deployment/web with its pod ${pod.replace('pod/', '')}`);
  expect(gone.plan?.summary).toContain('HorizontalPodAutoscaler/web, Service/web would then lead nowhere (all=yes');
  await comesTo(() => names(staging, 'pods', 'app=web'), []);
  expect(await names(staging, 'services')).toEqual(['service/web']);
  expect(await remove('web')).toMatchObject({ state: 'failed', fault: { code: 'NOT_DEPLOYED' } });
});

test('with all, what leads nowhere goes too; a Service that others use stays', async () => {
  const pods = template('db', bed.busybox, sleeps);
  const labels = { app: 'db', tier: 'data' };
  await put(
    workload('StatefulSet', 'db', staging, { ...pods, metadata: { labels } }),
    workload(
      'Deployment',
      'cache',
      staging,
      { ...template('cache', bed.busybox, sleeps), metadata: { labels: { app: 'cache', tier: 'data' } } },
      { replicas: 0 },
    ),
    service('db', 'db'),
    { ...service('data', ''), spec: { selector: { tier: 'data' }, ports: [{ port: 80 }] } },
  );
  await rolledOut(staging, 'statefulset', 'db');
  const gone = await remove('sts/db', { all: true });
  expect(gone).toMatchObject({ report: { objects: ['StatefulSet/db', 'Service/db'] } });
  expect(gone.plan?.summary).toContain('with its pod db-0; Service/data stays: other workloads use it');
  expect(await names(staging, 'statefulsets')).toEqual([]);
  expect(await names(staging, 'services')).not.toContain('service/db');
  expect(await names(staging, 'services')).toContain('service/data');
  await comesTo(() => names(staging, 'pods', 'app=db'), []);
});

test('only the very object that was planned for: another of the same name stays', async () => {
  const { production } = desk.namespaces;
  const web = workload('Deployment', 'web', production, template('web', bed.busybox, sleeps));
  await put(web);
  const id = await desk.ask('workload-delete', { app: 'web', env: 'production' });
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
  await kubectl(['delete', 'deployment', 'web', '-n', production]);
  await put(web);
  await desk.approve(id, { kind: 'slack', team: 'T1', user: 'UBEN' });
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting', replanned: true });
  expect(await names(production, 'deployments')).toEqual(['deployment.apps/web']);
});

test('a name that is almost right is helped with', async () => {
  await kubectl(['create', 'cronjob', 'nightly', '-n', staging, '--image', bed.busybox, '--schedule=0 3 * * *']);
  expect(await remove('cronjob/nightli')).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “nightly”?') },
  });
  expect(await remove('cronjob/nightly')).toMatchObject({ state: 'finished' });
  expect(await names(staging, 'cronjobs')).toEqual([]);
});
