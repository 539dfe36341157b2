import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import type { Outcome } from '../../src/core/approval.ts';
import { type Run, RunState } from '../../src/core/run.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { decide } from '../../src/engine/decide.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { slack, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/**
 * Clicks as Slack delivers them: doubled, late, out of order, to three bots at once. Whatever the order in which they take
 * effect, it is one that a single bot could have seen: one verdict, no lost vote, nothing counted twice.
 */

const redis = redisForFile();
const people = ['ana', 'ben', 'cleo', 'dan'] as const;
const settings: Settings = SettingsSchema.parse({
  ...testSettings,
  people: Object.fromEntries(
    people.map((name) => [name, { slack: `U${name.toUpperCase()}`, subject: `${name}@example.com` }]),
  ),
  roles: { engineers: [...people], security: ['dan'] },
});
const seeds = 2_000;
let bots: TestEngine[];

beforeAll(async () => {
  bots = await Promise.all(
    [1, 2, 3].map(() => testEngine(redis().url, fakeWorld().clients, { settings: () => settings })),
  );
  return () => {
    for (const bot of bots) bot.close();
  };
});

const digest = 'd'.repeat(64);
let runs = 0;

async function awaiting(approvals: number, required: string[]): Promise<string> {
  const [bot] = bots;
  const id = `clicked${runs++}`;
  const run: Run = {
    id,
    version: 1,
    operation: 'deploy',
    input: {},
    actor: slack('UANA'),
    origin: { surface: 'rest' },
    state: 'awaiting',
    createdAt: 1,
    updatedAt: 1,
    expiresAt: Date.now() + 3_600_000,
    called: [],
    plan: { summary: 's', changes: [], takesOver: [], digest },
    verdict: {
      kind: 'needs-approval',
      rule: 'r',
      approvals,
      approvers: ['engineers'],
      required,
      expireMinutes: 60,
      remindMinutes: 0,
    },
    decisions: [],
    checklist: [],
    steps: {},
  };
  await bot?.store.create({ run, events: [] }, undefined);
  return id;
}

type Click = {
  who: (typeof people)[number];
  kind: 'approve' | 'reject' | 'withdraw';
  token: boolean;
  stale: boolean;
  copies: number;
  bot: number;
};
const click: fc.Arbitrary<Click> = fc.record({
  who: fc.constantFrom(...people),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('approve' as const) },
    fc.constantFrom('reject' as const, 'withdraw' as const),
  ),
  token: fc.boolean(),
  stale: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
  copies: fc.integer({ min: 1, max: 3 }),
  bot: fc.nat({ max: 2 }),
});

const actorOf = ({ who, token }: Click): Actor =>
  token ? { kind: 'token', subject: `${who}@example.com` } : slack(`U${who.toUpperCase()}`);

/** What the counted decisions, in their stored order, must add up to. */
function model(run: Run, approvals: number, required: string[]): RunState {
  const yes = new Set<string>();
  for (const { actor, kind } of run.decisions) {
    const who =
      actor.kind === 'token'
        ? actor.subject.split('@')[0]
        : actor.kind === 'slack'
          ? actor.user.slice(1).toLowerCase()
          : '';
    expect(who, 'the requester never approves').not.toBe(kind === 'approve' ? 'ana' : '-');
    if (kind === 'reject') return 'rejected';
    expect(yes.has(who ?? ''), 'a person counts once').toBe(kind === 'withdraw');
    if (kind === 'withdraw') yes.delete(who ?? '');
    else yes.add(who ?? '');
    if (yes.size >= approvals && (required.length === 0 || yes.has('dan'))) return 'running';
  }
  return 'awaiting';
}

const isEnd = ({ kind }: Outcome) => kind === 'approved' || kind === 'rejected';

test(`${seeds} seeds of clicks: one verdict, no lost vote`, { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(click, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (clicks, approvals, security) => {
        const required = security ? ['security'] : [];
        const id = await awaiting(approvals, required);
        const sent = clicks.flatMap((one) =>
          Array.from({ length: one.copies }, (_, copy) => ({ one, bot: bots[(one.bot + copy) % 3] })),
        );
        const results = await Promise.all(
          sent.map(async ({ one, bot }) => {
            const ballot = { actor: actorOf(one), kind: one.kind, digest: one.stale ? 'e'.repeat(64) : digest };
            return (await decide(bot ?? bots[0] ?? expect.fail(), id, ballot)).outcome;
          }),
        );
        const run = (await bots[0]?.store.read(id)) ?? expect.fail('the run is gone');
        expect(RunState.parse(run.state)).toBe(model(run, approvals, required));
        expect(results.filter(isEnd)).toHaveLength(run.state === 'awaiting' ? 0 : 1);
        const counted = results.filter(({ kind }) => kind !== 'refused');
        expect(run.decisions).toHaveLength(counted.length);
        expect(run.version).toBe(1 + counted.length);
        expect(run.decisions.every((decision) => decision.digest === digest)).toBe(true);
      },
    ),
    { numRuns: seeds },
  );
});
