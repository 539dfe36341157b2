import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field } from '../workloads/on-the-bed.ts';

/** Several apps as one release, on a real cluster: v1 and v2 run, and v3 never gets ready. */

let desk: RealDesk;
beforeAll(async () => {
  const apps = { api: { image: `${bed.registryHost}/web` } };
  desk = await realDesk({ apps, staging: { rolloutTimeoutSeconds: 40 } });
  for (const app of ['web', 'api']) await desk.done('deploy', { app, env: 'staging', tag: 'v1' });
});
afterAll(() => desk.end());

async function release(...apps: string[]) {
  const id = await desk.ask('release', { apps, env: 'staging' });
  const [run] = await desk.settle([id], 110_000);
  return run ?? expect.unreachable();
}
const imageOf = async (app: string) =>
  String(
    await field(desk.namespaces.staging, 'deployment', app, 'spec', 'template', 'spec', 'containers', 0, 'image'),
  ).replace(/@.*/, '');
const tags = async () => [await imageOf('web'), await imageOf('api')].map((image) => image.split(':').at(-1));

test('all apps get their versions, wave by wave', async () => {
  expect(await release('web@v2', 'api@v2')).toMatchObject({
    state: 'finished',
    report: { kind: 'released', apps: [{ app: 'web' }, { app: 'api' }], differs: [] },
  });
  expect(await tags()).toEqual(['v2', 'v2']);
}, 120_000);

test('one that does not start takes all of them back, also those that were through', async () => {
  const run = await release('web@v1', 'api@v3');
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'taken-back', app: 'api', stays: [] } });
  expect(await tags()).toEqual(['v2', 'v2']);
}, 180_000);
