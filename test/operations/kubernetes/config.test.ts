import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSeal } from '../../../src/store/seal.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk({ seal: createSeal([Buffer.alloc(32, 7)]) });
});
afterAll(() => desk.end());

const dataOf = async (name: string): Promise<unknown> =>
  JSON.parse(await kubectl(['get', 'configmap', name, '-n', desk.namespaces.staging, '-o', 'json'])).data;

test('a ConfigMap is made, changed, undone and pruned', async () => {
  const name = 'app-config';
  const made = await desk.done('config-set', { name, env: 'staging', values: ['LEVEL=info', 'GREETING=hello there'] });
  expect(made).toMatchObject({ state: 'finished', report: { kind: 'changed', objects: ['ConfigMap/app-config'] } });
  expect(await dataOf(name)).toEqual({ LEVEL: 'info', GREETING: 'hello there' });

  const changed = await desk.done('config-set', { name, env: 'staging', values: ['LEVEL=debug'] });
  expect(changed.plan?.changes).toEqual([{ path: 'ConfigMap/app-config data.LEVEL', from: 'info', to: 'debug' }]);
  expect(await dataOf(name)).toEqual({ LEVEL: 'debug', GREETING: 'hello there' });

  const { operation = '', input = {} } = changed.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished' });
  expect(await dataOf(name)).toMatchObject({ LEVEL: 'info' });

  expect(await desk.done('config-unset', { name, env: 'staging', keys: ['GREETING'] })).toMatchObject({
    state: 'finished',
  });
  expect(await dataOf(name)).toEqual({ LEVEL: 'info' });
});

test('what is like that already changes nothing; what is wrong is said', async () => {
  const input = { name: 'same', env: 'staging', values: ['A=1'] };
  await desk.done('config-set', input);
  expect(await desk.done('config-set', input)).toMatchObject({ report: { kind: 'unchanged' } });
  expect(await desk.done('config-unset', { name: 'same', env: 'staging', keys: ['AA'] })).toMatchObject({
    state: 'failed',
    fault: { code: 'NO_SUCH_OBJECT' },
  });
  expect(await desk.done('config-unset', { name: 'none', env: 'staging', keys: ['A'] })).toMatchObject({
    fault: { message: expect.stringContaining('no ConfigMap “none”') },
  });
});

test('whole files are set, shown with sizes and readers, and undone; what sounds like a secret is not shown', async () => {
  const files = { 'application.yaml': 'server:\n  port: 8080\n', 'empty.txt': '' };
  const input = { name: 'files', env: 'staging', files, values: ['API_TOKEN=abc', 'LEVEL=info'] };
  const set = await desk.done('config-set', input);
  expect(set).toMatchObject({ state: 'finished' });
  // What config show masks, config set masks: before somebody approves it, and after.
  expect(set.plan?.changes).toContainEqual({ path: 'ConfigMap/files data.API_TOKEN', to: '••••••' });
  const input2 = { name: 'files', env: 'staging', values: ['API_TOKEN=abc2', 'DB_PASS=hunter22'] };
  const more = await desk.done('config-set', input2);
  expect(more.plan?.changes).toContainEqual({
    path: 'ConfigMap/files data.API_TOKEN',
    from: '••••••',
    to: '•••••• (changed)',
  });
  expect(JSON.stringify([more.plan?.changes, more.plan?.summary, more.report])).not.toMatch(/abc2|hunter22/);
  await desk.done('config-set', { ...input2, values: ['API_TOKEN=abc'] });
  await desk.done('config-unset', { name: 'files', env: 'staging', keys: ['DB_PASS'] });
  expect(await dataOf('files')).toEqual({ ...files, API_TOKEN: 'abc', LEVEL: 'info' });
  const shown = await desk.done('config-show', { name: 'files', env: 'staging' });
  expect(shown.report).toMatchObject({
    columns: ['Key', 'Value', 'Size'],
    rows: [
      ['API_TOKEN', '••••••', '3 B'],
      ['LEVEL', 'info', '4 B'],
      ['application.yaml', 'server:\n  port: 8080\n', '21 B'],
      ['empty.txt', '', '0 B'],
    ],
    note: expect.stringContaining('nobody reads it'),
  });
  const all = await desk.done('config-show', { env: 'staging' });
  expect(all.report).toMatchObject({ rows: expect.arrayContaining([['files', '4', '28 B', expect.any(String), '']]) });
  expect(await desk.done('config-show', { name: 'fils', env: 'staging' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “files”?') },
  });
  expect(await desk.done('config-set', { name: 'nothing', env: 'staging' })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('KEY=VALUE') },
  });
});

test('an immutable ConfigMap is explained and stays as it is', async () => {
  const fixed = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fixed' }, immutable: true, data: { A: '1' } };
  await kubectl(['create', '-n', desk.namespaces.staging, '-f', '-'], JSON.stringify(fixed));
  for (const [operation, more] of [
    ['config-set', { values: ['A=2'] }],
    ['config-unset', { keys: ['A'] }],
  ] as const)
    expect(await desk.done(operation, { name: 'fixed', env: 'staging', ...more })).toMatchObject({
      state: 'failed',
      fault: { code: 'IMMUTABLE', hint: expect.stringContaining('another name') },
    });
  expect(await dataOf('fixed')).toEqual({ A: '1' });
  const shown = await desk.done('config-show', { name: 'fixed', env: 'staging' });
  expect(shown.report).toMatchObject({ note: expect.stringContaining('immutable') });
});

test('every way to read a ConfigMap is found', async () => {
  const spec = {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'a',
        image: 'none',
        env: [{ name: 'ONE', valueFrom: { configMapKeyRef: { name: 'wide', key: 'A', optional: true } } }],
        envFrom: [{ configMapRef: { name: 'wide', optional: true } }],
        volumeMounts: [
          { name: 'plain', mountPath: '/etc/plain' },
          { name: 'projected', mountPath: '/etc/projected' },
        ],
      },
    ],
    volumes: [
      { name: 'plain', configMap: { name: 'wide', optional: true } },
      { name: 'projected', projected: { sources: [{ configMap: { name: 'wide', optional: true } }] } },
      { name: 'other', secret: { secretName: 'wide', optional: true } },
    ],
  };
  const job = { spec: { template: { spec } } };
  const cron = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' } };
  await kubectl(
    ['create', '-n', desk.namespaces.staging, '-f', '-'],
    JSON.stringify({ ...cron, spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: job } }),
  );
  const alone = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'alone' }, spec };
  await kubectl(['create', '-n', desk.namespaces.staging, '-f', '-'], JSON.stringify(alone));
  const found = await desk.done('config-consumers', { name: 'wide', env: 'staging' });
  expect(found.report).toMatchObject({
    rows: [
      ['ConfigMap/wide', 'CronJob/nightly', 'env ONE, all of it as env, files in /etc/plain, files in /etc/projected'],
      ['ConfigMap/wide', 'Pod/alone', 'env ONE, all of it as env, volume plain, volume projected'],
      ['Secret/wide', 'CronJob/nightly', 'volume other, mounted nowhere'],
      ['Secret/wide', 'Pod/alone', 'volume other'],
    ],
  });
  const none = await desk.done('config-consumers', { name: 'nobody', env: 'staging' });
  expect(none.report).toMatchObject({ rows: [], note: 'Nobody reads it.' });
});
