import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk();
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
