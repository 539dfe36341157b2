import { beforeEach, describe, expect, test } from 'vitest';
import { advance } from '../../src/engine/advance.ts';
import { decide } from '../../src/engine/decide.ts';
import { createLeases, type Leases } from '../../src/engine/leases.ts';
import type { Ask } from '../../src/engine/request.ts';
import { request } from '../../src/engine/request.ts';
import { keys } from '../../src/store/keys.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { ana, ben, quiet, slack, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let leases: Leases;

beforeEach(async () => {
  world = fakeWorld();
  for (const tag of ['v1', 'v2', 'v3']) world.digests.set(`127.0.0.1:5000/web:${tag}`, `sha256:${tag[1]?.repeat(64)}`);
  engine = await testEngine(redis().url, world.clients);
  leases = createLeases(engine.store, 'worker-1', quiet);
  return async () => {
    await leases.stop();
    engine.close();
  };
});

const deploy = (env: string, tag = 'v1', actor = ana): Ask => ({
  actor,
  operation: 'deploy',
  input: { app: 'web', env, tag },
  origin: { surface: 'rest' },
});
const stored = async (id: string) => {
  const run = await engine.store.read(id);
  if (!run) throw new Error(`no run ${id}`);
  return run;
};

describe('where no approval is needed', () => {
  test('a deploy goes from request to rollout in one lap, with the tag resolved to a digest', async () => {
    const { id } = await request(engine, deploy('staging'));
    await expect.poll(() => engine.woken).toEqual([id]);
    await advance(engine, leases, id);
    expect(await stored(id)).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
    expect(world.applied).toEqual([
      { run: id, image: `127.0.0.1:5000/web:v1@sha256:${'1'.repeat(64)}`, replicas: undefined },
    ]);
  });

  test('asking for what is there already changes nothing and says so', async () => {
    const first = await request(engine, deploy('staging'));
    await advance(engine, leases, first.id);
    const again = await request(engine, deploy('staging'));
    await advance(engine, leases, again.id);
    expect(await stored(again.id)).toMatchObject({ state: 'finished', report: { kind: 'unchanged' } });
    expect(world.applied).toHaveLength(1);
  });

  test('the same request key starts one run', async () => {
    const key = `key-${engine.newId()}`;
    const runs = await Promise.all([1, 2, 3].map(() => request(engine, { ...deploy('staging'), key })));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    await expect.poll(() => engine.woken).toHaveLength(1);
  });

  test('a rollout that fails ends the run as failed, with the reason', async () => {
    const trouble = { code: 'crash-loop' as const, detail: 'exit code 1', logs: ['panic: boom'] };
    world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    const { id } = await request(engine, deploy('staging', 'v3'));
    await advance(engine, leases, id);
    expect(await stored(id)).toMatchObject({ state: 'failed', report: { kind: 'rollout-failed', trouble } });
  });
});

describe('where another person must approve', () => {
  const awaiting = async () => {
    const { id } = await request(engine, deploy('production'));
    await advance(engine, leases, id);
    const run = await stored(id);
    expect(run).toMatchObject({ state: 'awaiting', verdict: { kind: 'needs-approval' } });
    return { id, digest: run.plan?.digest ?? '' };
  };

  test('nothing is applied before, all of it after', async () => {
    const { id, digest } = await awaiting();
    expect(world.applied).toHaveLength(0);
    expect((await decide(engine, id, { actor: ana, kind: 'approve', digest })).outcome).toMatchObject({
      reason: 'own-request',
    });
    await advance(engine, leases, id);
    expect(world.applied).toHaveLength(0);
    expect((await decide(engine, id, { actor: ben, kind: 'approve', digest })).outcome.kind).toBe('approved');
    await advance(engine, leases, id);
    expect(await stored(id)).toMatchObject({ state: 'finished' });
    expect(world.applied).toHaveLength(1);
  });

  test('of many clicks at once one counts, and the rest are told by whom', async () => {
    const { id, digest } = await awaiting();
    const kinds = ['approve', 'reject'] as const;
    const clicks = Array.from({ length: 40 }, (_, i) =>
      decide(engine, id, { actor: ben, kind: kinds[i % 2] ?? 'approve', digest }),
    );
    const outcomes = (await Promise.all(clicks)).map(({ outcome }) => outcome);
    expect(outcomes.filter(({ kind }) => kind === 'approved' || kind === 'rejected')).toHaveLength(1);
    expect(
      outcomes.filter((outcome) => outcome.kind === 'refused' && outcome.reason === 'already-decided' && outcome.by),
    ).toHaveLength(39);
    expect((await stored(id)).decisions).toHaveLength(1);
  });

  test('a plan that no longer holds is not carried out: the question is asked anew, with the new plan', async () => {
    const { id, digest } = await awaiting();
    await decide(engine, id, { actor: ben, kind: 'approve', digest });
    world.digests.set('127.0.0.1:5000/web:v1', `sha256:${'9'.repeat(64)}`);
    await advance(engine, leases, id);
    const run = await stored(id);
    expect(run).toMatchObject({ state: 'awaiting', replanned: true });
    expect(run.plan?.digest).not.toBe(digest);
    expect(world.applied).toHaveLength(0);
    expect((await decide(engine, id, { actor: ben, kind: 'approve', digest })).outcome).toMatchObject({
      reason: 'stale-plan',
    });
    await decide(engine, id, { actor: ben, kind: 'approve', digest: run.plan?.digest ?? '' });
    await advance(engine, leases, id);
    expect(world.applied).toHaveLength(1);
  });

  test('a rejected plan is never applied', async () => {
    const { id, digest } = await awaiting();
    await decide(engine, id, { actor: ben, kind: 'reject', digest, reason: 'not on a Friday' });
    await advance(engine, leases, id);
    expect(await stored(id)).toMatchObject({ state: 'rejected', decisions: [{ reason: 'not on a Friday' }] });
    expect(world.applied).toHaveLength(0);
  });

  test('an approval that nobody gave expires', async () => {
    const { id, digest } = await awaiting();
    const late = { ...engine, now: () => Date.now() + 61 * 60_000 };
    expect((await decide(late, id, { actor: ben, kind: 'approve', digest })).outcome).toMatchObject({
      reason: 'expired',
    });
    await advance(late, leases, id);
    expect((await stored(id)).state).toBe('expired');
  });

  test('somebody without a role can’t even ask', async () => {
    await expect(request(engine, deploy('production', 'v1', slack('UXXX')))).rejects.toMatchObject({
      code: 'POLICY_DENIED',
    });
  });
});

describe('what is wrong is said at once, and nothing is stored', () => {
  test.each([
    [{ operation: 'deplyo' }, 'UNKNOWN_OPERATION', 'Did you mean “deploy”?'],
    [{ input: { app: 'wep', env: 'staging', tag: 'v1' } }, 'UNKNOWN_APP', 'Did you mean “web”?'],
    [{ input: { app: 'web', env: 'stagin', tag: 'v1' } }, 'UNKNOWN_ENVIRONMENT', 'Did you mean “staging”?'],
    [{ input: { app: 'web', env: 'staging', tag: 'v1', replicas: -1 } }, 'BAD_INPUT', 'must not be negative'],
    [{ input: { app: 'web', env: 'staging', tag: 'v1', replicas: 100_000 } }, 'BAD_INPUT', 'must be at most 1000'],
    [{ input: { app: 'web', env: 'staging', tag: 'v1', replicas: 'many' } }, 'BAD_INPUT', 'must be a whole number'],
    [{ input: { app: 'web', env: 'staging', tag: 'v1', colour: 'red' } }, 'BAD_INPUT', 'colour'],
  ])('%j', async (change, code, words) => {
    const before = await engine.redis.zcard(keys.recent);
    const refused = request(engine, { ...deploy('staging'), ...change });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(await engine.redis.zcard(keys.recent)).toBe(before);
  });

  test('an image that the registry lacks fails the plan; nothing is applied', async () => {
    const { id } = await request(engine, deploy('staging', 'v9'));
    await advance(engine, leases, id);
    expect(await stored(id)).toMatchObject({ state: 'failed', fault: { code: 'IMAGE_NOT_FOUND' } });
    expect(world.applied).toHaveLength(0);
  });
});
