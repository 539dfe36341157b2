import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../../src/core/run.ts';
import { bed } from '../../support/bed.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field, get, names, put } from './on-the-bed.ts';

let desk: RealDesk;
let staging: string;
beforeAll(async () => {
  desk = await realDesk();
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

/** A CronJob that is never due by itself. */
const cron = (name: string, script: string, spec = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name, namespace: staging },
  spec: {
    schedule: '0 0 31 2 *',
    jobTemplate: {
      metadata: { labels: { team: 'data' } },
      spec: {
        backoffLimit: 0,
        template: {
          metadata: { labels: { app: name } },
          spec: {
            restartPolicy: 'Never',
            containers: [{ name: 'main', image: bed.busybox, args: ['sh', '-c', script] }],
          },
        },
      },
    },
    ...spec,
  },
});

const ask = (operation: string, name: string) => desk.done(operation, { name, env: 'staging' });
const rowsOf = ({ report }: Run) => (report?.kind === 'table' ? report.rows : []);

test('a CronJob is run now and followed to its end, with its last words', async () => {
  await put(cron('report', 'echo counting; sleep 1; echo 42 rows written', { suspend: true }));
  const done = await ask('job-run', 'report');
  expect(done).toMatchObject({
    state: 'finished',
    place: { app: 'cronjob/report' },
    plan: { summary: expect.stringContaining('it is suspended, and stays so') },
    report: {
      kind: 'text',
      text: 'counting\n42 rows written',
      note: expect.stringMatching(/^complete after [\d.]+ s$/),
    },
  });
  const job = await get(staging, 'job', `report-${done.id}`);
  expect(job).toMatchObject({
    metadata: {
      labels: { team: 'data' },
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', 'shipmate.dev/run': done.id },
      ownerReferences: [{ kind: 'CronJob', name: 'report' }],
    },
    status: { succeeded: 1 },
  });
  expect(await field(staging, 'cronjob', 'report', 'spec', 'suspend')).toBe(true);
});

test('one whose pods have the node’s own network is run as ever: its Job asks for no more', async () => {
  const { spec, ...rest } = cron('onhost', 'echo on the node');
  Object.assign(spec.jobTemplate.spec.template.spec, { hostNetwork: true });
  await put({ ...rest, spec });
  const done = await ask('job-run', 'onhost');
  expect(done).toMatchObject({ state: 'finished', report: { kind: 'text', text: 'on the node' } });
});

test('one that fails says so, with what it said last, and made one Job', async () => {
  await put(cron('broken', 'echo no route to db; exit 3'));
  const id = await desk.ask('job-run', { name: 'cronjob/broken', env: 'staging' });
  const done = await desk.lap(id);
  expect(done).toMatchObject({
    state: 'failed',
    report: {
      kind: 'rollout-failed',
      trouble: { detail: expect.stringContaining('gave up'), logs: ['no route to db'] },
    },
  });
  expect(await names(staging, 'jobs', 'team=data')).toContain(`job.batch/broken-${id}`);
  expect((await names(staging, 'jobs')).filter((name) => name.includes('broken'))).toHaveLength(1);
});

test('a CronJob is suspended and resumed, each as often as one likes', async () => {
  await put(cron('nightly', 'true'));
  const suspended = await ask('cron-suspend', 'nightly');
  expect(suspended).toMatchObject({ state: 'finished', report: { kind: 'changed', objects: ['CronJob/nightly'] } });
  expect(await field(staging, 'cronjob', 'nightly', 'spec', 'suspend')).toBe(true);
  expect(await ask('cron-suspend', 'nightly')).toMatchObject({ report: { kind: 'unchanged' } });
  const { operation = '', input = {} } = suspended.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished', operation: 'cron-resume' });
  expect(await field(staging, 'cronjob', 'nightly', 'spec', 'suspend')).toBe(false);
  expect(await ask('cron-resume', 'nightly')).toMatchObject({ report: { kind: 'unchanged' } });
  expect(await ask('cron-suspend', 'nightlyy')).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “nightly”?') },
  });
  await expect(ask('cron-suspend', 'deployment/web')).rejects.toThrow('must be the name of a CronJob');
});

test('how Jobs went: all of them, and one of them', async () => {
  const listed = await desk.done('jobs', { env: 'staging' });
  expect(rowsOf(listed)).toContainEqual(['CronJob/report', 'suspended', '', expect.stringContaining('“0 0 31 2 *”')]);
  const job = rowsOf(listed).find(([what]) => what?.startsWith('Job/broken-'));
  expect(job?.slice(1, 2)).toEqual(['failed']);
  expect(job?.[3]).toContain('of CronJob/broken');
  expect(rowsOf(listed).find(([what]) => what?.startsWith('Job/report-'))?.[1]).toBe('complete');

  const name = job?.[0]?.replace('Job/', 'job/') ?? '';
  const one = await desk.done('rollout-status', { app: name, env: 'staging' });
  expect(one.report).toMatchObject({
    note: expect.stringMatching(/^It is failed.*0 succeeded, 1 failed.*no route to db/s),
  });
  expect(rowsOf(one)[0]?.[1]).toBe('Failed');
  expect(await desk.done('rollout-status', { app: 'cronjob/report', env: 'staging' })).toMatchObject({
    report: { note: 'Runs at “0 0 31 2 *”, last never; 0 active now. It is suspended.' },
  });
});
