import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../../src/core/run.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk();
});
afterAll(() => desk.end());

const hard = async (name: string) =>
  JSON.parse(await kubectl(['get', 'quota', name, '-n', desk.namespaces.staging, '-o', 'json'])).spec.hard;
const set = (...values: string[]) => desk.done('quota-set', { values, env: 'staging' });

test('a quota is made, shown with bars, changed and undone', async () => {
  expect(await desk.done('quota', { env: 'staging' })).toMatchObject({
    report: { rows: [], note: expect.stringContaining('no ResourceQuota') },
  });
  expect(await set('requests.cpu=500m', 'configmaps=4', 'count/jobs.batch=0')).toMatchObject({ state: 'finished' });
  expect(await hard('default')).toEqual({ 'requests.cpu': '500m', configmaps: '4', 'count/jobs.batch': '0' });
  await kubectl(['create', 'configmap', 'one', '-n', desk.namespaces.staging]);
  let shown: Run | undefined;
  // The quota controller counts in its own time.
  for (let tries = 0; tries < 60 && !JSON.stringify(shown?.report ?? '').includes('2 of 4'); tries++) {
    await sleep(250);
    shown = await desk.done('quota', { env: 'staging' });
  }
  expect(shown?.report).toMatchObject({
    columns: ['Quota', 'Resource', 'Used', 'Share'],
    rows: [
      ['default', 'count/jobs.batch', '0 of 0', '▓▓▓▓▓▓▓▓▓▓ 100 %'],
      ['default', 'configmaps', '2 of 4', '▓▓▓▓▓░░░░░ 50 %'],
      ['default', 'requests.cpu', '0 of 500m', '░░░░░░░░░░ 0 %'],
    ],
  });
  const less = await set('configmaps=1');
  expect(less.plan?.summary).toContain('nothing new will start: configmaps 2');
  expect(less.plan?.changes).toEqual([{ path: 'ResourceQuota/default spec.hard.configmaps', from: '4', to: '1' }]);
  const { operation = '', input = {} } = less.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished' });
  expect(await hard('default')).toMatchObject({ configmaps: '4', 'requests.cpu': '500m' });
});

test('what is no quantity is refused, here or by the API server in its own words', async () => {
  for (const value of ['pods', 'pods=many', 'pods=-1', 'PODS=1', 'pods=1Zi'])
    await expect(set(value)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(await set('bananas=3')).toMatchObject({ state: 'failed', fault: { code: 'CLUSTER_REFUSED' } });
});

test('limits are set, shown, changed one by one, and refused where they contradict each other', async () => {
  const setLimits = (...values: string[]) => desk.done('limits-set', { values, env: 'staging' });
  expect(await setLimits('default.cpu=500m', 'request.cpu=100m', 'max.memory=2Gi')).toMatchObject({
    state: 'finished',
  });
  expect(await setLimits('default.cpu=1')).toMatchObject({ state: 'finished' });
  expect(await desk.done('limits', { env: 'staging' })).toMatchObject({
    report: {
      columns: ['LimitRange', 'Of', 'Resource', 'Least', 'Requested', 'Limit', 'Most', 'Limit/request'],
      rows: [
        ['default', 'Container', 'cpu', '', '100m', '1', '', ''],
        ['default', 'Container', 'memory', '', '2Gi', '2Gi', '2Gi', ''],
      ],
    },
  });
  expect(await setLimits('request.cpu=4')).toMatchObject({
    state: 'failed',
    fault: { code: 'CLUSTER_REFUSED', message: expect.stringContaining('greater than default') },
  });
  await expect(setLimits('most.cpu=4')).rejects.toMatchObject({ code: 'BAD_INPUT' });
  const args = ['get', 'limitrange', 'default', '-n', desk.namespaces.staging, '-o', 'json'];
  expect(JSON.parse(await kubectl(args)).spec.limits[0]).toMatchObject({
    default: { cpu: '1' },
    defaultRequest: { cpu: '100m' },
    max: { memory: '2Gi' },
  });
});
