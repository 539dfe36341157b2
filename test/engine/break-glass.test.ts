import { beforeEach, expect, test } from 'vitest';
import { type Settings, Settings as SettingsSchema, Spared } from '../../src/core/settings.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, slack, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** A broken glass spares approvals, and beyond that only what shipmate.yaml names. */

const redis = redisForFile();
const cho = slack('UCHO');
const dan = slack('UDAN');
const why = 'the shop is down';
const allWeek = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] };
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;

/** Dan alone may break the glass; where no rule asks for an approval, everybody ships. */
const given = (change: object = {}, glass: object = {}): void => {
  settings = SettingsSchema.parse({
    ...testSettings,
    people: { ...testSettings.people, cho: { slack: 'UCHO' }, dan: { slack: 'UDAN' } },
    roles: { engineers: ['ana', 'ben', 'dan'], 'on-call': ['dan'] },
    breakGlass: { who: ['on-call'], ...glass },
    policy: [{ name: 'all is free' }],
    ...change,
  });
};
beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  given();
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const deploy = (actor: typeof ana, tag = 'v1') =>
  desk.ask('deploy', { app: 'web', env: 'production', tag }, actor, why);

/** What stands in the way, one at a time, and the fault that says so. */
const gates: Record<Spared, { code: string; shut: (glass: object) => Promise<void> }> = {
  locks: {
    code: 'LOCKED',
    shut: async () => void (await desk.done('lock', { app: 'web', env: 'production', reason: 'migrating' }, ben)),
  },
  freezes: {
    code: 'FROZEN',
    shut: async (glass) => given({ freezes: [{ name: 'all week', weekly: allWeek }] }, glass),
  },
  stop: { code: 'LOCKED', shut: async () => void (await desk.done('stop', { reason: 'an incident' }, ben)) },
  'rate-limits': {
    code: 'TOO_MANY_CHANGES',
    shut: async (glass) => {
      const production = { namespace: 'production', rateLimit: { changes: 1, minutes: 60 } };
      given({ environments: { ...testSettings.environments, production } }, glass);
      await desk.done('deploy', { app: 'web', env: 'production', tag: 'v5' }, ben);
    },
  },
};

/** How it ended: the fault's code, or the state. */
const end = async (actor: typeof ana): Promise<string> => {
  const id = await deploy(actor, 'v2').catch(({ code }: { code: string }) => code);
  if (/^[A-Z_]+$/.test(id)) return id;
  const { state, fault } = await desk.lap(id);
  return fault?.code ?? state;
};

test('where no approval is needed, whoever may not break the glass is refused, whatever stands in the way', async () => {
  expect(await end(ana)).toBe('BREAK_GLASS_DENIED');
  for (const { shut } of Object.values(gates)) {
    await shut({});
    expect([await end(ana), await end(cho)]).toEqual(['BREAK_GLASS_DENIED', 'BREAK_GLASS_DENIED']);
  }
  await expect(desk.ask('status', { app: 'web' }, cho, why), 'nor may they to read').rejects.toMatchObject({
    code: 'BREAK_GLASS_DENIED',
  });
  expect(JSON.stringify(world.applied)).not.toContain('sha256:2222');
});

test.each(Spared.options)('%s hold for a broken glass too, unless shipmate.yaml names them', async (what) => {
  const { code, shut } = gates[what];
  const others = Spared.options.filter((other) => other !== what);
  for (const glass of [{}, { spares: others }]) {
    given({}, glass);
    await engine.redis.flushall();
    await shut(glass);
    expect(await end(dan), `with ${JSON.stringify(glass)}`).toBe(code);
  }
  given({}, { spares: [what] });
  await engine.redis.flushall();
  await shut({ spares: [what] });
  expect(await end(dan)).toBe('finished');
});

test('who lost the role since the request is refused by the worker', async () => {
  const id = await deploy(dan);
  settings.breakGlass.who = [];
  expect(await desk.lap(id)).toMatchObject({ fault: { code: 'BREAK_GLASS_DENIED' } });
  expect(world.applied).toEqual([]);
});
