import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestEach } from '../../../src/engine/request.ts';
import { ana, ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk({
    clusters: { away: { endpoint: 'https://127.0.0.1:1' } },
    fleets: { everywhere: ['staging', 'second'] },
  });
});
afterAll(() => desk.end());

const ask = (input: Record<string, unknown>) =>
  requestEach(desk.engine, { actor: ana, operation: 'config-set', input, origin: { surface: 'rest' }, key: 'k' });

test('the clusters are shown with version, latency, nodes and health, also where one is away', async () => {
  const { report } = await desk.done('clusters', {});
  expect(report).toMatchObject({
    kind: 'table',
    rows: expect.arrayContaining([
      ['default', 'well', 'v1.37.2', expect.stringMatching(/^\d+ ms$/), '1 of 1 ready', 'staging, production, second'],
      ['away', expect.stringContaining('does not answer'), '', '', '', ''],
    ]),
  });
});

test('what is asked for in a fleet is a run in each of its environments, with a result each', async () => {
  const runs = await ask({ name: 'fleet', env: 'everywhere', values: ['A=1'] });
  expect(runs.map(({ site }) => site?.env)).toEqual(['staging', 'second']);
  // `second` is in the namespace of production, whose policy counts there too.
  const second = runs[1]?.id ?? '';
  expect(await desk.lap(second)).toMatchObject({ state: 'awaiting' });
  await desk.approve(second, ben);
  const ends = await desk.settle(runs.map(({ id }) => id));
  expect(ends.map(({ state }) => state)).toEqual(['finished', 'finished']);
  for (const namespace of [desk.namespaces.staging, desk.namespaces.production])
    expect(await kubectl(['get', 'configmap', 'fleet', '-n', namespace, '-o', 'jsonpath={.data.A}'])).toBe('1');
  const again = await ask({ name: 'fleet', env: 'everywhere', values: ['A=1'] });
  expect(again.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
});

test('where one of several environments is wrong nothing is started anywhere', async () => {
  const before = (await desk.engine.store.recent(100)).length;
  await expect(ask({ name: 'fleet', env: 'staging,nowhere', values: ['A=2'] })).rejects.toMatchObject({
    code: 'UNKNOWN_ENVIRONMENT',
  });
  expect((await desk.engine.store.recent(100)).length).toBe(before);
});
