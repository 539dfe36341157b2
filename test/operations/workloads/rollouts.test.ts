import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../../src/core/run.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field, get, image, names, put, rolledOut, sleeps, template, web, workload } from './on-the-bed.ts';

let desk: RealDesk;
let staging: string;
beforeAll(async () => {
  desk = await realDesk();
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

const ask = (operation: string, app: string, more: Record<string, unknown> = {}) =>
  desk.done(operation, { app, env: 'staging', ...more });
const make = (kind: string, name: string, image = bed.busybox, container = sleeps, spec = {}) =>
  put(workload(kind, name, staging, template(name, image, container), spec));
const rowsOf = ({ report }: Run) => (report?.kind === 'table' ? report.rows : []);
const noteOf = ({ report }: Run) => (report?.kind === 'table' || report?.kind === 'changed' ? (report.note ?? '') : '');

test.each([
  ['Deployment', 'front'],
  ['StatefulSet', 'db'],
  ['DaemonSet', 'agent'],
])('restart replaces the pods of a %s and follows it to its end', async (kind, name) => {
  await make(kind, name);
  await rolledOut(staging, kind, name);
  const before = await kubectl([
    'get',
    'pods',
    '-n',
    staging,
    '-l',
    `app=${name}`,
    '-o',
    'jsonpath={.items[*].metadata.uid}',
  ]);
  const done = await ask('restart', `${kind.toLowerCase()}/${name}`);
  expect(done).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', replicas: 1, ready: 1 } });
  const after = await kubectl([
    'get',
    'pods',
    '-n',
    staging,
    '-l',
    `app=${name}`,
    '--field-selector=status.phase=Running',
    '-o',
    'jsonpath={.items[*].metadata.uid}',
  ]);
  expect(after).not.toContain(before);
  const annotations = ['spec', 'template', 'metadata', 'annotations'];
  const when = await field(staging, kind, name, ...annotations, 'kubectl.kubernetes.io/restartedAt');
  expect(Date.parse(String(when))).toBeCloseTo(done.steps.apply?.startedAt ?? 0, -3.5);
  expect(await field(staging, kind, name, 'metadata', 'annotations', 'shipmate.dev/run')).toBe(done.id);
});

test('a restart that is approved is still the same plan when it is made again', async () => {
  const { production } = desk.namespaces;
  await put(workload('Deployment', 'web', production, template('web', bed.busybox, sleeps)));
  await rolledOut(production, 'deployment', 'web');
  const id = await desk.ask('restart', { app: 'web', env: 'production' });
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
  await desk.approve(id, { kind: 'slack', team: 'T1', user: 'UBEN' });
  expect(await desk.lap(id)).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  expect(await names(production, 'replicasets')).toHaveLength(2);
});

test('a restart of what crashes ends with the reason; a Job and a CronJob are not restarted', async () => {
  await make('Deployment', 'crashing', web('v3'), {});
  expect(await ask('restart', 'deployment/crashing')).toMatchObject({
    state: 'failed',
    report: { kind: 'rollout-failed', trouble: { code: 'crash-loop' } },
  });
  await kubectl(['create', 'cronjob', 'report', '-n', staging, '--image', bed.busybox, '--schedule=0 3 * * *']);
  expect(await ask('restart', 'cronjob/report')).toMatchObject({
    fault: { code: 'NOT_FOR_KIND', hint: expect.stringContaining('/ship job run report in staging') },
  });
  expect(await ask('restart', 'web')).toMatchObject({ fault: { code: 'NOT_DEPLOYED' } });
});

test('pause holds what comes, resume lets it go on to its end; both can be asked for twice', async () => {
  await make('Deployment', 'held', web('v1'), {});
  await rolledOut(staging, 'deployment', 'held');
  const paused = await ask('rollout-pause', 'deployment/held');
  expect(paused).toMatchObject({ state: 'finished', report: { kind: 'changed' } });
  expect(paused.plan?.undo).toMatchObject({ operation: 'rollout-resume' });
  expect(await ask('rollout-pause', 'deployment/held')).toMatchObject({ report: { kind: 'unchanged' } });
  expect(await ask('restart', 'deployment/held')).toMatchObject({ fault: { code: 'ROLLOUT_PAUSED' } });

  await kubectl(['set', 'image', 'deployment/held', `held=${web('v2')}`, '-n', staging]);
  const stuck = await ask('rollout-status', 'deployment/held');
  expect(noteOf(stuck)).toContain('its rollout is paused');
  expect(await names(staging, 'replicasets', 'app=held')).toHaveLength(1);

  expect(await ask('rollout-resume', 'deployment/held')).toMatchObject({
    state: 'finished',
    report: { kind: 'rolled-out', ready: 1 },
  });
  expect(await names(staging, 'replicasets', 'app=held')).toHaveLength(2);
  expect(await ask('rollout-resume', 'deployment/held')).toMatchObject({ report: { kind: 'unchanged' } });
  expect(await ask('rollout-pause', 'statefulset/db')).toMatchObject({ fault: { code: 'NOT_FOR_KIND' } });
});

test('status says why a rollout is stuck, with its pods: a broken StatefulSet, an image that is not there, a DaemonSet that is well', async () => {
  await make('StatefulSet', 'broken', web('v3'), {});
  await make('Deployment', 'missing', web('nosuch'), {});
  await make('DaemonSet', 'well');
  await rolledOut(staging, 'daemonset', 'well');
  const status = async (app: string) => await ask('rollout-status', app);
  await expect
    .poll(async () => noteOf(await status('statefulset/broken')), { timeout: 40_000, interval: 1_000 })
    .toMatch(/Stuck: the container starts and crashes \(broken-0\).*exit code 1.*panic: runtime error/s);
  const broken = await status('statefulset/broken');
  expect(rowsOf(broken)[0]).toEqual([
    'broken-0',
    expect.any(String),
    expect.stringMatching(/^[01]\/1$/),
    expect.stringMatching(/^[1-9]/),
  ]);
  expect(broken.state).toBe('finished');
  await expect
    .poll(async () => noteOf(await status('deployment/missing')), { timeout: 20_000, interval: 1_000 })
    .toMatch(/the image can’t be pulled.*nosuch/s);
  expect(noteOf(await status('daemonset/well'))).toBe(
    '1 of 1 pods ready with the newest template, 1 updated. It is through.',
  );
});

test('history tells what each revision changed, and one revision as a diff', async () => {
  await make('Deployment', 'grown', web('v1'), {});
  await rolledOut(staging, 'deployment', 'grown');
  await kubectl(['set', 'image', 'deployment/grown', `grown=${web('v2')}`, '-n', staging]);
  await kubectl(['set', 'env', 'deployment/grown', 'LEVEL=debug', 'API_TOKEN=abcdef123', '-n', staging]);
  await rolledOut(staging, 'deployment', 'grown');
  const all = await ask('rollout-history', 'deployment/grown');
  expect(rowsOf(all).map(([number, , images]) => [number, images])).toEqual([
    ['3 (now)', 'web:v2'],
    ['2', 'web:v2'],
    ['1', 'web:v1'],
  ]);
  expect(rowsOf(all)[1]?.[3]).toBe(`[grown].image: ${web('v1')} → ${web('v2')}`);
  expect(rowsOf(all)[0]?.[3]).toContain('+ [grown].env[LEVEL].value: debug');
  expect(rowsOf(all)[0]?.[1]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
  expect(JSON.stringify(all)).not.toContain('abcdef123');

  const one = await ask('rollout-history', 'deployment/grown', { revision: 2 });
  expect(one.report).toMatchObject({
    kind: 'text',
    text: `- spec.containers[grown].image: ${web('v1')}\n+ spec.containers[grown].image: ${web('v2')}`,
    note: 'against revision 1',
  });
  expect(await ask('rollout-history', 'deployment/grown', { revision: 9 })).toMatchObject({
    fault: { code: 'NO_SUCH_REVISION', hint: expect.stringContaining('3, 2, 1') },
  });
  expect(await image('deployment', staging, 'grown')).toBe(web('v2'));
  expect(await get(staging, 'deployment', 'grown')).toBeTruthy();
});
