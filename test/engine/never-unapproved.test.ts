import { beforeEach, expect, test } from 'vitest';
import { Settings } from '../../src/core/settings.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { ana, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** What is never done on one person's word in production, whatever rules and glasses there are. */

const redis = redisForFile();
const { environments } = testSettings;
let desk: Desk;
let settings: Settings;

async function given(change: Partial<Settings>): Promise<void> {
  settings = structuredClone({ ...testSettings, ...change });
  const world = fakeWorld();
  furnish(world);
  const engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  desk = createDesk(engine);
}
beforeEach(() => given({}));

const input = { service: 'web', delay: '1s', for: '10m' };
const free = Settings.shape.policy.parse([{ name: 'all is free' }]);

test('where a rule asks for no approval, the answer is no, with the rule and what to do', async () => {
  await given({ policy: free });
  await expect(desk.ask('fault', { ...input, env: 'production' })).rejects.toMatchObject({
    code: 'NEVER_UNAPPROVED',
    message: expect.stringContaining('the rule “all is free” asks for nobody else’s'),
    hint: expect.stringContaining('approvals: 1'),
  });
  await expect(desk.ask('fault', { ...input, env: 'staging' })).resolves.toBeDefined();
  await expect(
    desk.ask('timeout', { service: 'web', timeout: '1s', env: 'production' }),
    'other operations may',
  ).resolves.toBeDefined();
});

test('who asks whether they may is told so', async () => {
  await given({ policy: free });
  const { report } = await desk.done('can', { who: 'ana', operation: 'fault', env: 'production' });
  expect(report).toMatchObject({ terms: expect.stringContaining('nobody does that there without an approval') });
});

test('breaking the glass does not help', async () => {
  await given({ breakGlass: { who: ['engineers'], reviewers: ['engineers'], spares: [] } });
  await expect(desk.ask('fault', { ...input, env: 'production' }, ana, 'the shop is down')).rejects.toMatchObject({
    code: 'NEVER_UNAPPROVED',
    message: expect.stringContaining('“break glass”'),
  });
});

test('settings say what production is, else the name does; all environments of one namespace are it together', async () => {
  const other = { ...environments.staging, namespace: 'elsewhere' };
  const production = { ...environments.staging, namespace: 'production' };
  const all = {
    'live-eu': other,
    shop: { ...other, namespace: 'shop', production: true },
    alias: production,
    ...environments,
  };
  await given({ policy: free, environments: Settings.shape.environments.parse(all) });
  for (const env of ['live-eu', 'shop', 'alias'])
    await expect(desk.ask('fault', { ...input, env }), env).rejects.toMatchObject({ code: 'NEVER_UNAPPROVED' });
  const tame = { production: { ...environments.production, production: false } };
  await given({ policy: free, environments: Settings.shape.environments.parse(tame) });
  await expect(desk.ask('fault', { ...input, env: 'production' })).resolves.toBeDefined();
});

test('a policy that is loosened while it waits does not let it through', async () => {
  const id = await desk.ask('fault', { ...input, env: 'production' }, ana);
  settings.policy.splice(0, settings.policy.length, ...free);
  expect(await desk.lap(id)).toMatchObject({ state: 'denied', fault: { code: 'NEVER_UNAPPROVED' } });
});
