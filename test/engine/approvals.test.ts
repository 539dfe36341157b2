import { beforeEach, describe, expect, test } from 'vitest';
import { predicates } from '../../src/core/in-toto.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { statementIn } from '../../src/core/verification.ts';
import { answer, review } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import { pinnedImage } from '../../src/images/pinned.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { fakeTrust } from '../fakes/fake-trust.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, slack, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
const cleo = slack('UCLEO');
const dan = slack('UDAN');
const minute = 60_000;
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;

const withRule = (rule: object, more: object = {}): Settings =>
  SettingsSchema.parse({
    ...testSettings,
    people: {
      ...testSettings.people,
      cleo: { slack: 'UCLEO' },
      dan: { slack: 'UDAN' },
    },
    roles: { engineers: ['ana', 'ben'], security: ['cleo'], leads: ['dan'] },
    policy: [
      { name: 'around', operations: ['away', 'back', 'lock', 'stop', 'can', 'why'] },
      { name: 'rule', who: ['engineers'], approvals: 1, approvers: ['engineers'], ...rule },
    ],
    ...more,
  });

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  settings = withRule({});
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const awaiting = async () => {
  const id = await desk.deploy('production');
  await desk.lap(id);
  return id;
};
const outcome = async (id: string, actor: typeof ana) => (await desk.approve(id, actor)).outcome;
const later = (minutes: number) => {
  engine.now = () => Date.now() + minutes * minute;
};

describe('who must approve', () => {
  test('a role that the rule requires must be among those who approve', async () => {
    settings = withRule({ required: ['security'], approvals: 1 });
    const id = await awaiting();
    expect(await outcome(id, ben)).toMatchObject({ kind: 'counted', missing: 1 });
    expect(await outcome(id, dan)).toMatchObject({ kind: 'refused', reason: 'not-an-approver' });
    expect(await outcome(id, cleo)).toMatchObject({ kind: 'approved' });
  });

  test('an approval that was taken back does not count', async () => {
    settings = withRule({ required: ['security'] });
    const id = await awaiting();
    await outcome(id, ben);
    const { plan } = await desk.run(id);
    const withdraw = () => decide(engine, id, { actor: ben, kind: 'withdraw', digest: plan?.digest ?? '' });
    expect((await withdraw()).outcome).toMatchObject({ kind: 'withdrawn' });
    expect((await withdraw()).outcome).toMatchObject({ reason: 'nothing-to-withdraw' });
    settings = withRule({ approvals: 2, required: ['security'] });
    expect(await outcome(id, cleo)).toMatchObject({ kind: 'approved' });
  });

  test('somebody away is stood in for, but never for the requester', async () => {
    await desk.done('away', { to: 'dan', for: 60 * minute }, ben);
    const id = await awaiting();
    expect(await outcome(id, dan)).toMatchObject({ kind: 'approved' });
    await desk.done('back', {}, ben);
    await desk.done('away', { to: 'dan' }, ana);
    const other = await awaiting();
    expect(await outcome(other, dan)).toMatchObject({ kind: 'refused', reason: 'not-an-approver' });
  });

  test('standing in ends', async () => {
    await desk.done('away', { to: 'dan', for: 5 * minute }, ben);
    const id = await awaiting();
    later(6);
    expect(await outcome(id, dan)).toMatchObject({ kind: 'refused', reason: 'not-an-approver' });
  });

  test('neither of the requester’s two identities approves', async () => {
    const id = await awaiting();
    expect(await outcome(id, { kind: 'token', subject: 'ana@example.com' } as typeof ana)).toMatchObject({
      reason: 'own-request',
    });
  });
});

describe('whoever may approve no longer', () => {
  const without = (person: string, rule: object = {}) =>
    withRule(rule, {
      roles: { engineers: ['ana', 'ben'].filter((name) => name !== person), security: ['cleo'], leads: ['dan'] },
    });
  const said = async (id: string) => (await engine.store.events(id, '', 50)).map(({ event }) => event.text);

  test('does not count any more when the last vote comes', async () => {
    const two = { approvals: 2, approvers: ['engineers', 'leads', 'security'] };
    settings = withRule(two);
    const id = await awaiting();
    expect(await outcome(id, ben)).toMatchObject({ kind: 'counted', missing: 1 });
    settings = without('ben', two);
    expect(await outcome(id, dan)).toMatchObject({ kind: 'counted', missing: 1 });
    expect(await outcome(id, cleo)).toMatchObject({
      kind: 'approved',
      counted: [{ actor: dan }, { actor: cleo }],
    });
  });

  test('nor for the role that the rule requires', async () => {
    const rule = { approvals: 1, required: ['leads'] };
    settings = withRule(rule);
    const id = await awaiting();
    expect(await outcome(id, dan)).toMatchObject({ kind: 'approved' });
    settings = withRule(rule, { roles: { engineers: ['ana', 'ben'], security: [], leads: ['cleo'] } });
    expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
    expect(await outcome(id, ben)).toMatchObject({ kind: 'counted', missing: 1 });
  });

  test('counts again once they may again: saying it once more is enough', async () => {
    const rule = { approvers: ['engineers', 'leads'] };
    settings = withRule(rule);
    const id = await awaiting();
    await outcome(id, ben);
    settings = without('ben', rule);
    expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
    settings = withRule(rule);
    expect(await outcome(id, ben)).toMatchObject({ kind: 'approved', counted: [{ actor: ben }] });
    expect(await desk.lap(id)).toMatchObject({ state: 'finished', counted: [{ actor: ben }] });
  });

  test('does not count any more at the first change: it is asked again', async () => {
    const rule = { approvers: ['engineers', 'leads'] };
    settings = withRule(rule);
    const id = await awaiting();
    expect(await outcome(id, ben)).toMatchObject({ kind: 'approved' });
    settings = without('ben', rule);
    const again = await desk.lap(id);
    expect(again).toMatchObject({ state: 'awaiting', replanned: false });
    expect(again.counted).toBeUndefined();
    expect(await said(id)).toContain('somebody who approved may do so no longer: it needs an approval again');
    expect(world.applied).toHaveLength(0);
    expect(await outcome(id, ben)).toMatchObject({ reason: 'not-an-approver' });
    expect(await outcome(id, dan)).toMatchObject({ kind: 'approved', counted: [{ actor: dan }] });
    expect(await desk.lap(id)).toMatchObject({ state: 'finished', counted: [{ actor: dan }] });
  });

  test('stood in for somebody who is back', async () => {
    await desk.done('away', { to: 'dan', for: 60 * minute }, ben);
    const id = await awaiting();
    expect(await outcome(id, dan)).toMatchObject({ kind: 'approved' });
    await desk.done('back', {}, ben);
    expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
    expect(await outcome(id, ben)).toMatchObject({ kind: 'approved' });
  });

  test('does not stop what has begun to change something', async () => {
    const id = await awaiting();
    await outcome(id, ben);
    const goOn = world.hold();
    const working = desk.lap(id);
    await expect.poll(async () => (await desk.run(id)).startedAt).toBeDefined();
    settings = without('ben');
    goOn();
    expect(await working).toMatchObject({ state: 'finished', counted: [{ actor: ben }] });
  });
});

test('the signed decision names those alone on whose approval it rests', async () => {
  const trust = fakeTrust(true);
  engine.clients = { ...engine.clients, ...trust };
  const two = { approvals: 2, approvers: ['engineers', 'leads', 'security'] };
  settings = withRule(two);
  const id = await awaiting();
  const digest = (await desk.run(id)).plan?.digest ?? '';
  await outcome(id, ben);
  await decide(engine, id, { actor: ben, kind: 'withdraw', digest });
  await outcome(id, cleo);
  expect(await outcome(id, dan)).toMatchObject({ kind: 'approved' });
  const done = await desk.lap(id);
  expect(done).toMatchObject({ state: 'finished' });
  const { reference = '', digest: imageDigest = '' } = done.plan?.image ?? {};
  const beside = await trust.attachments.read(
    pinnedImage(reference, imageDigest).pinned,
    [predicates.decision],
    AbortSignal.timeout(5_000),
  );
  const signed = beside.flatMap((each) => (each.kind === 'signed' ? [statementIn(each.envelope)?.predicate] : []));
  expect(signed).toMatchObject([{ run: id, approvedBy: [{ name: 'cleo' }, { name: 'dan' }] }]);
});

describe('asked in Slack, and approved by the same person’s token that nobody listed', () => {
  const unlisted = { kind: 'token' as const, subject: 'ana-again@example.com' };

  test('is refused, and counts once the token is listed as another person’s', async () => {
    settings = withRule({ approvers: ['everyone'] });
    const id = await awaiting();
    expect(await outcome(id, unlisted)).toMatchObject({ reason: 'not-told-apart', from: ana });
    expect(await desk.run(id)).toMatchObject({ state: 'awaiting', decisions: [] });
    settings = withRule(
      { approvers: ['everyone'] },
      { people: { ...settings.people, machine: { subject: unlisted.subject } } },
    );
    expect(await outcome(id, unlisted)).toMatchObject({ kind: 'approved' });
  });

  test('of a broken glass is no review', async () => {
    settings = withRule({}, { breakGlass: { who: ['engineers'], reviewers: ['everyone'] } });
    const id = await desk.ask('deploy', { app: 'web', env: 'production', tag: 'v1' }, ana, 'the shop is down');
    await desk.lap(id);
    await expect(review(engine, id, unlisted)).rejects.toMatchObject({
      code: 'NOT_TOLD_APART',
      message: expect.stringContaining('token:ana-again@example.com'),
      hint: expect.stringContaining('people in shipmate.yaml'),
    });
    expect((await desk.run(id)).breakGlass).toEqual({ reason: 'the shop is down' });
    expect(await review(engine, id, ben)).toMatchObject({ breakGlass: { reviewed: { actor: ben } } });
  });

  test.each([
    ['the requester', ana, 'NOT_YOURS_TO_ANSWER'],
    ['their token', unlisted, 'NOT_TOLD_APART'],
  ])('%s does not answer what a run asks its approvers', async (_, actor, code) => {
    settings = withRule({ approvers: ['everyone'] });
    const id = await awaiting();
    await outcome(id, ben);
    const run = await desk.run(id);
    const asks = { of: 'approvers' as const, choices: ['go'] };
    const steps = { bake: { state: 'waiting' as const, startedAt: 1, until: Date.now() + minute, asks } };
    await engine.store.commit({ run: { ...run, version: run.version + 1, steps }, events: [] });
    await expect(answer(engine, id, actor, 'go')).rejects.toMatchObject({ code });
    expect(await answer(engine, id, ben, 'go')).toMatchObject({ steps: { bake: { state: 'done', result: 'go' } } });
  });
});

describe('nobody answers', () => {
  test('they are reminded, then others are asked, then the request lapses', async () => {
    settings = withRule({ expireMinutes: 60, remindMinutes: 10, escalate: { afterMinutes: 30, to: ['leads'] } });
    const id = await awaiting();
    expect(await outcome(id, dan)).toMatchObject({ reason: 'not-an-approver' });
    later(31);
    expect(await desk.lap(id)).toMatchObject({ called: ['escalated'], verdict: { approvers: ['engineers', 'leads'] } });
    later(51);
    expect(await desk.lap(id)).toMatchObject({ called: ['escalated', 'reminded'] });
    expect((await desk.run(id)).wakeAt).toBeUndefined();
    await desk.lap(id);
    const calls = (await engine.store.events(id, '', 50)).filter(({ event }) => event.kind === 'call');
    expect(calls.map(({ event }) => event.text)).toEqual(['escalated', 'reminded']);
    expect(await outcome(id, dan)).toMatchObject({ kind: 'approved' });
  });

  test('it lapses at its time, which the store wakes somebody for', async () => {
    settings = withRule({ expireMinutes: 60, remindMinutes: 0 });
    const id = await awaiting();
    const due = Number(await engine.redis.zscore('{shipmate}:v1:due', id));
    expect(due).toBe((await desk.run(id)).expiresAt);
    later(61);
    expect(await desk.lap(id)).toMatchObject({ state: 'expired' });
  });
});

describe('breaking the glass', () => {
  const glass = { breakGlass: { who: ['engineers'], reviewers: ['leads', 'engineers'], spares: ['locks'] } };

  test('passes over approvals and, where shipmate.yaml says so, locks; is kept, and is reviewed once by somebody else', async () => {
    settings = withRule({}, glass);
    await desk.done('lock', { app: 'web', env: 'production', reason: 'migrating' }, dan);
    const id = await desk.ask('deploy', { app: 'web', env: 'production', tag: 'v1' }, ana, 'the shop is down');
    expect(await desk.lap(id)).toMatchObject({ state: 'finished', verdict: { rule: 'break glass' } });
    await expect(review(engine, id, ana)).rejects.toMatchObject({ code: 'NOT_YOURS_TO_REVIEW' });
    await expect(review(engine, id, cleo)).rejects.toMatchObject({ code: 'NOT_YOURS_TO_REVIEW' });
    expect(await review(engine, id, dan)).toMatchObject({
      state: 'finished',
      breakGlass: { reviewed: { actor: dan } },
    });
    await expect(review(engine, id, ben)).rejects.toMatchObject({ code: 'NOT_YOURS_TO_REVIEW' });
  });

  test('needs the role and a reason, and never allows what no rule allows', async () => {
    const ask = (actor: typeof ana, reason: string) =>
      desk.ask('deploy', { app: 'web', env: 'production', tag: 'v1' }, actor, reason);
    await expect(ask(ana, 'the shop is down')).rejects.toMatchObject({ code: 'BREAK_GLASS_DENIED' });
    settings = withRule({}, { breakGlass: { who: ['everyone'] } });
    await expect(ask(ana, 'now!')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(ask(dan, 'the shop is down')).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  });
});

describe('the policy', () => {
  test('tells changes by their size', async () => {
    const small = { name: 'a little', operations: ['scale'], who: ['engineers'], size: { replicasBy: 2 } };
    settings = SettingsSchema.parse({ ...withRule({}), policy: [small, ...withRule({}).policy] });
    settings.policy.push(
      ...SettingsSchema.parse({ apps: {}, environments: {}, policy: [{ name: 'free', environments: ['staging'] }] })
        .policy,
    );
    const id = await awaiting();
    await outcome(id, ben);
    await desk.lap(id);
    const scale = async (replicas: number) => await desk.done('scale', { app: 'web', env: 'production', replicas });
    const object = world.objects.get('production/web');
    world.objects.set('production/web', { ...object, spec: { ...(object?.spec as object), replicas: 3 } });
    expect(await scale(5)).toMatchObject({ state: 'finished', verdict: { rule: 'a little' } });
    expect(await scale(9)).toMatchObject({ state: 'awaiting', verdict: { rule: 'rule' } });
    expect(await scale(0)).toMatchObject({ state: 'awaiting' });
  });

  test('that changed since the request holds in the worker: no becomes no', async () => {
    const id = await desk.deploy('production');
    settings = withRule({ operations: ['scale'] });
    expect(await desk.lap(id)).toMatchObject({ state: 'denied', fault: { code: 'POLICY_DENIED' } });
  });

  test('a freeze that began after the approval stops it', async () => {
    const id = await awaiting();
    await outcome(id, ben);
    settings = withRule(
      {},
      { freezes: [{ name: 'all week', weekly: { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] } }] },
    );
    expect(await desk.lap(id)).toMatchObject({ state: 'denied', fault: { code: 'FROZEN' } });
    await expect(desk.deploy('production')).rejects.toMatchObject({ code: 'FROZEN' });
    expect(world.applied).toHaveLength(0);
  });

  test('limits how many changes an environment takes', async () => {
    settings = withRule(
      { approvals: 0 },
      {
        environments: {
          ...testSettings.environments,
          production: { namespace: 'production', rateLimit: { changes: 2, minutes: 60 } },
        },
      },
    );
    const ends: unknown[] = [];
    for (const tag of ['v1', 'v2', 'v3'])
      ends.push((await desk.done('deploy', { app: 'web', env: 'production', tag })).state);
    expect(ends).toEqual(['finished', 'finished', 'denied']);
  });

  test('roles come from Slack’s user groups, member ids and tokens’ claims', async () => {
    settings = SettingsSchema.parse({
      ...withRule({ who: ['mixed'], approvals: 0 }),
      roles: { mixed: ['group:S1', 'slack:UDIRECT', 'claim:groups=deployers'], engineers: [], security: [], leads: [] },
      groups: { S1: ['UGROUP'] },
    });
    const token = (claims?: string[]) => ({ kind: 'token' as const, subject: 'ci', ...(claims && { claims }) });
    const may = async (actor: Parameters<Desk['deploy']>[2]) =>
      await desk.deploy('staging', 'v1', actor).then(
        () => true,
        () => false,
      );
    expect(await Promise.all([slack('UGROUP'), slack('UDIRECT'), token(['groups=deployers'])].map(may))).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      await Promise.all(
        [slack('UOTHER'), token(), token(['groups=readers']), token(['claim:groups=deployers'])].map(may),
      ),
    ).toEqual([false, false, false, false]);
  });

  test('“can” and “why” name the rule', async () => {
    expect(
      (await desk.done('can', { who: 'ana', operation: 'deploy', app: 'web', env: 'production' })).report,
    ).toMatchObject({
      terms: 'needs 1 approval(s) by engineers, says the rule “rule”',
    });
    expect(
      (await desk.done('can', { who: '<@UDAN>', operation: 'deploy', app: 'web', env: 'production' })).report,
    ).toMatchObject({
      terms: 'not allowed: the rule “rule” allows it only to engineers',
    });
    expect((await desk.done('can', { who: 'ana', operation: 'why' })).report).toMatchObject({
      terms: 'allowed by the rule “around”',
    });
    expect(await desk.done('can', { who: 'ana', operation: 'deplyo', app: 'web', env: 'production' })).toMatchObject({
      fault: { code: 'UNKNOWN_OPERATION', message: expect.stringContaining('deploy') },
    });
    const id = await awaiting();
    await outcome(id, ben);
    await desk.lap(id);
    const { report } = await desk.done('why', { what: id });
    const rows = report?.kind === 'table' ? report.rows.map(([, what]) => what) : [];
    expect(rows).toEqual([
      'ana asked for it over rest',
      expect.stringContaining('rule “rule”'),
      expect.stringMatching(/^ben: approve of plan [0-9a-f]{12}$/),
      'it is finished',
    ]);
  });
});
