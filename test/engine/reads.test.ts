import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineOperation } from '../../src/core/operation.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { request, requestEach } from '../../src/engine/request.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
const token = { kind: 'token' as const, subject: 'ana@example.com' };
const hourMs = 3_600_000;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;

/** A question whose answer is as long as one likes. */
const dump = defineOperation({
  name: 'dump',
  summary: 'A long answer',
  effect: 'read',
  input: z.strictObject({ kind: z.enum(['text', 'table', 'other']), lines: z.number() }),
  usage: '<kind> <lines>',
  examples: ['text 1'],
  needs: [],
  steps: ['read'],
  target: () => ({}),
  plan: async () => ({ summary: 'dump', changes: [], takesOver: [] }),
  run: async (run, { kind, lines }) => {
    const rows = await run.step('read', async () =>
      Array.from({ length: lines }, (_, n) => `${n} ${'x'.repeat(1_000)}`),
    );
    if (kind === 'text') return { kind, title: 'dump', text: rows.join('\n') };
    if (kind === 'table') return { kind, title: 'dump', columns: ['row'], rows: rows.map((row) => [row]) };
    return { kind: 'changed', objects: rows };
  },
});

const limits = (reads: object) => {
  settings = SettingsSchema.parse({ ...testSettings, fleets: { all: ['staging', 'production'] }, reads });
};

beforeEach(async () => {
  const world = fakeWorld();
  stock(world);
  limits({});
  engine = await testEngine(redis().url, world.clients, {
    settings: () => settings,
    catalogue: new Map([...catalogue, ['dump', dump]]),
  });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const ask = (actor: Parameters<Desk['ask']>[2] = ana) => desk.ask('dump', { kind: 'text', lines: 1 }, actor);
const refused = { code: 'TOO_MANY_QUESTIONS', status: 429, retry: 'later' };
/** As if everything had been asked so much earlier: the store goes by Redis' own clock. */
async function earlier(ms: number): Promise<void> {
  for (const key of await engine.redis.keys('{shipmate}:v1:reads:*'))
    for (const id of await engine.redis.zrange(key, '0', '-1')) await engine.redis.zincrby(key, -ms, id);
}

describe('one person’s questions', () => {
  test('are so many within a minute, under all their identities together; others have their own', async () => {
    limits({ perMinute: 3, atOnce: 100 });
    await ask(ana);
    await ask(token);
    await ask(ana);
    for (const actor of [ana, token])
      await expect(ask(actor)).rejects.toMatchObject({ ...refused, message: expect.stringContaining('3 questions') });
    await ask(ben);
    await ask({ kind: 'token', subject: 'somebody@example.com' });
    await earlier(61_000);
    await ask(ana);
  });

  test('are so many under way; one that is answered makes room', async () => {
    limits({ atOnce: 2 });
    const first = await ask();
    await ask();
    await expect(ask()).rejects.toMatchObject({ ...refused, message: expect.stringContaining('not answered yet') });
    await desk.lap(first);
    await ask();
    await expect(ask()).rejects.toMatchObject(refused);
    await ask(ben);
  });

  test('of many at once no more are let in', async () => {
    limits({ atOnce: 4 });
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(await engine.store.recent(100)).toHaveLength(4);
  });

  test('for several environments are one request, let in or refused as a whole', async () => {
    limits({ atOnce: 1 });
    const fleet = { actor: ana, operation: 'status', input: { env: 'all' }, origin: { surface: 'rest' as const } };
    const runs = await requestEach(engine, fleet);
    expect(runs).toHaveLength(2);
    await expect(requestEach(engine, fleet)).rejects.toMatchObject(refused);
    expect(await engine.store.recent(100)).toHaveLength(2);
  });

  test('leave changes alone', async () => {
    limits({ atOnce: 1, perMinute: 1 });
    await ask();
    await desk.deploy('staging');
    await desk.deploy('staging');
  });
});

describe('answers', () => {
  const answered = (kind: string, lines: number) => desk.done('dump', { kind, lines });
  const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  test('are kept for a day, or as long as the settings say; changes for thirty', async () => {
    const ttl = async (id: string) =>
      await Promise.all(
        ['run', 'events'].map(async (kind) => (await engine.redis.pttl(`{shipmate}:v1:${kind}:${id}`)) / hourMs),
      );
    for (const [reads, hours] of [
      [{}, 24],
      [{ hours: 2 }, 2],
    ] as const) {
      limits(reads);
      for (const left of await ttl((await answered('text', 1)).id)) {
        expect(left).toBeGreaterThan(hours - 0.1);
        expect(left).toBeLessThanOrEqual(hours);
      }
    }
    const change = await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
    for (const left of await ttl(change.id)) expect(left).toBeGreaterThan(29 * 24);
  });

  test.each(['text', 'table'])('that are too long are cut, and say so: %s', async (kind) => {
    limits({ kilobytes: 16 });
    const { state, report } = await answered(kind, 40);
    expect(state).toBe('finished');
    expect(sizeOf(report)).toBeLessThan(16 * 1_024);
    expect(report).toMatchObject({ kind, note: expect.stringMatching(/^\d+ more (lines|rows) are left out/) });
    expect(JSON.stringify(report)).toContain('13 xxx');
    expect((await answered(kind, 10)).report).not.toHaveProperty('note');
  });

  test('that cannot be cut are refused, as is what would be too much in hand', async () => {
    limits({ kilobytes: 16 });
    expect((await answered('other', 40)).fault).toMatchObject({ code: 'ANSWER_TOO_LARGE' });
    const much = await answered('text', 200);
    expect(much).toMatchObject({ state: 'failed', fault: { code: 'ANSWER_TOO_LARGE' } });
    expect(sizeOf(much)).toBeLessThan(16 * 1_024);
  });

  test('of one person take so much together: the oldest are forgotten, also with all that was said of them', async () => {
    limits({ megabytes: 1 });
    const mine: string[] = [];
    for (let n = 0; n < 5; n++) {
      mine.push((await answered('text', 400)).id);
      await earlier(1_000);
    }
    const change = await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
    const other = await desk.ask('dump', { kind: 'text', lines: 900 }, ben);
    await desk.lap(other);
    // Fresh ones are left, whatever they take: somebody may be about to fetch them.
    await ask();
    expect((await engine.store.recent(100)).map(({ id }) => id)).toEqual(expect.arrayContaining(mine));
    await earlier(61_000);
    await ask();
    const left = (await engine.store.recent(100)).map(({ id }) => id);
    expect(mine.filter((id) => left.includes(id))).toEqual(mine.slice(-2));
    expect(left).toEqual(expect.arrayContaining([change.id, other]));
    for (const id of mine.slice(0, 3)) expect(await engine.redis.keys(`*${id}`)).toEqual([]);
  });

  test('that are forgotten are asked for anew by the key that asked for them', async () => {
    const again = { actor: ana, operation: 'dump', input: { kind: 'text', lines: 1 }, key: 'k' };
    const keyed = async () => (await request(engine, { ...again, origin: { surface: 'rest' } })).id;
    const first = await keyed();
    expect(await keyed()).toBe(first);
    await engine.redis.del(`{shipmate}:v1:run:${first}`);
    const second = await keyed();
    expect(second).not.toBe(first);
    expect(await engine.store.read(second)).toMatchObject({ id: second });
    expect(await keyed()).toBe(second);
  });

  test('that Redis let go of, and questions that never were stored, take no place', async () => {
    limits({ atOnce: 2 });
    await engine.store.letIn('person:ana', ['never1', 'never2'], { perMinute: 9, atOnce: 9, bytes: 9, keptMs: hourMs });
    await expect(ask()).rejects.toMatchObject(refused);
    await earlier(11_000);
    await ask();
    await earlier(61_000);
    await ask();
    expect(await engine.redis.zcard('{shipmate}:v1:reads:person:ana')).toBe(2);
  });
});
