import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Desk } from '../../support/desk.ts';
import { type HarborDesk, harborDesk } from '../../support/harbor-desk.ts';
import type { HarborServer } from '../../support/harbor-server.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let all: HarborDesk;
let server: HarborServer;
let desk: Desk;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  all = await harborDesk(redis.url);
  ({ server, desk } = all);
  return all.end;
});

const rule = (name: string) => server.harbor.state.replications.find((each) => each.name === name);
const nightly = { policy: 'nightly', to: 'dr', images: 'team/**', tags: '!dev*', starts: '0 30 3 * * *' };

test('rules are shown and run', async () => {
  const rows = async () => (await desk.done('harbor-replications', {})).report;
  expect(await rows()).toMatchObject({ rows: [['to-dr', 'here → dr', '**', '**', 'manual', 'never', '']] });
  expect(await desk.done('harbor-replicate', { policy: 'to-dr' })).toMatchObject({
    state: 'finished',
    report: { note: '3 of 3 done, 0 failed.' },
  });
  expect(await rows()).toMatchObject({
    rows: [['to-dr', 'here → dr', '**', '**', 'manual', 'Succeed, 3 of 3', expect.any(String)]],
  });
  expect(await desk.done('harbor-replicate', { policy: 'to-dx' })).toMatchObject({
    fault: { message: expect.stringContaining('Did you mean “to-dr”') },
  });
});

test('a rule is made as it was said, once, and undone', async () => {
  const run = await desk.done('harbor-replication-create', nightly);
  expect(run.plan?.changes).toEqual([
    { path: 'replication/nightly way', to: 'here → dr' },
    { path: 'replication/nightly images', to: 'team/**' },
    { path: 'replication/nightly tags', to: '!dev*' },
    { path: 'replication/nightly into', to: 'none' },
    { path: 'replication/nightly starts', to: '0 30 3 * * *' },
    { path: 'replication/nightly override', to: false },
    { path: 'replication/nightly deletion', to: false },
    { path: 'replication/nightly enabled', to: true },
  ]);
  expect(rule('nightly')).toMatchObject({
    dest_registry: { id: 1 },
    filters: [
      { type: 'name', value: 'team/**' },
      { type: 'tag', value: 'dev*', decoration: 'excludes' },
    ],
    trigger: { type: 'scheduled', trigger_settings: { cron: '0 30 3 * * *' } },
    override: false,
    enabled: true,
  });
  expect(rule('nightly')).not.toHaveProperty('src_registry');
  expect(await desk.done('harbor-replication-create', nightly)).toMatchObject({ fault: { code: 'OBJECT_EXISTS' } });
  await all.undo(run);
  expect(rule('nightly')).toBeUndefined();
  const fetched = { policy: 'library', from: 'hub', images: 'library/nginx', into: 'base', override: true };
  const run2 = await desk.done('harbor-replication-create', fetched);
  expect(run2.plan?.warnings).toEqual(['What has the same tag here is replaced.']);
  expect(rule('library')).toMatchObject({ src_registry: { id: 2 }, dest_namespace: 'base', override: true });
  expect((await desk.done('harbor-replications', {})).report).toMatchObject({
    rows: [expect.any(Array), ['library', 'hub → here', 'library/nginx', '**', 'manual', 'never', '']],
  });
});

test('a rule whose making was not answered is not made twice', async () => {
  server.lost.push('POST');
  const [run] = await desk.settle([await desk.ask('harbor-replication-create', nightly)]);
  expect(run).toMatchObject({ state: 'finished' });
  expect(server.asked.filter((asked) => asked === 'POST /api/v2.0/replication/policies')).toHaveLength(1);
  expect(server.harbor.state.replications).toHaveLength(2);
});

test.each([
  [{ policy: 'fresh', to: 'dr', from: 'hub' }, 'say to or from, not both'],
  [{ policy: 'fresh' }, 'To which endpoint, or from which?'],
  [{ policy: 'fresh', to: 'dx' }, 'There is no endpoint “dx” in Harbor. Did you mean “dr”?'],
  [{ policy: 'to-dr', to: 'dr' }, 'There is a replication rule “to-dr” in Harbor already.'],
  [{ policy: 'fresh', from: 'hub', starts: 'push' }, 'hears of its own pushes only'],
  [{ policy: 'fresh', to: 'dr', deletion: true }, 'deletion=yes needs starts=push'],
])('%o is refused before anything is sent', async (input, words) => {
  const run = await desk.done('harbor-replication-create', input);
  expect(run).toMatchObject({ fault: { message: expect.stringContaining(words) } });
  expect(server.asked.filter((asked) => !asked.startsWith('GET'))).toEqual([]);
});

test.each([
  ['30 3 * * *', 'must be manual, push or a time, and as a time it has 5 fields and must have six'],
  ['5 30 3 * * *', 'must begin with a 0'],
  ['0 * 3 * * *', 'its second field must say which'],
  ['0 61 3 * * *', 'has wrong minutes: they are from 0 to 59'],
])('starts=“%s” is refused as it is asked for', async (starts, words) => {
  await expect(desk.ask('harbor-replication-create', { ...nightly, starts })).rejects.toMatchObject({
    message: expect.stringContaining(words),
  });
});

test('what is not said of a rule stays as it was, also what cannot be said here; and it is undone', async () => {
  const label = { type: 'label', value: ['released'] };
  const kept = { description: 'for audits', speed: 2_048, copy_by_chunk: true, dest_namespace_replace_count: -1 };
  Object.assign(rule('to-dr') ?? {}, kept, { filters: [label], single_active_replication: true });
  const before = { ...rule('to-dr') };
  const run = await desk.done('harbor-replication-set', { policy: 'to-dr', tags: 'v*', enabled: false });
  expect(run.plan?.changes).toEqual([
    { path: 'replication/to-dr tags', from: '**', to: 'v*' },
    { path: 'replication/to-dr enabled', from: true, to: false },
  ]);
  const tag = { type: 'tag', value: 'v*', decoration: 'matches' };
  expect(rule('to-dr')).toEqual({ ...before, filters: [tag, label], enabled: false });
  expect(await desk.done('harbor-replicate', { policy: 'to-dr' })).toMatchObject({
    fault: { hint: expect.stringContaining('/ship harbor replication set to-dr enabled=yes') },
  });
  await all.undo(run);
  expect(rule('to-dr')).toEqual(before);
  expect(await desk.done('harbor-replication-set', { policy: 'to-dr', tags: '**' })).toMatchObject({
    report: { kind: 'unchanged' },
  });
});

test('a rule starts on pushes and passes deletions on; another side takes the place of the one that it had', async () => {
  Object.assign(rule('to-dr') ?? {}, { single_active_replication: true });
  const pushed = await desk.done('harbor-replication-set', { policy: 'to-dr', starts: 'push', deletion: true });
  expect(pushed.plan?.warnings).toContain('What is deleted here is deleted at dr too.');
  expect(rule('to-dr')).toMatchObject({
    trigger: { type: 'event_based' },
    deletion: true,
    single_active_replication: false,
  });
  expect(await desk.done('harbor-replication-set', { policy: 'to-dr', from: 'hub' })).toMatchObject({
    fault: { message: expect.stringContaining('hears of its own pushes only') },
  });
  const turned = { policy: 'to-dr', from: 'hub', starts: 'manual', deletion: false };
  const run = await desk.done('harbor-replication-set', turned);
  expect(run.plan?.changes).toContainEqual({ path: 'replication/to-dr way', from: 'here → dr', to: 'hub → here' });
  expect(rule('to-dr')).toMatchObject({ src_registry: { id: 2 }, deletion: false });
  expect(rule('to-dr')).not.toHaveProperty('dest_registry');
  await all.undo(run);
  expect(rule('to-dr')).toMatchObject({ dest_registry: { id: 1 }, deletion: true });
});

test('a rule with several filters of a kind is not changed: all but one would be lost', async () => {
  const tags = ['v*', 'w*'].map((value) => ({ type: 'tag', value, decoration: 'matches' }));
  Object.assign(rule('to-dr') ?? {}, { filters: tags });
  expect(await desk.done('harbor-replication-set', { policy: 'to-dr', enabled: false })).toMatchObject({
    fault: { code: 'NOT_FOR_KIND', message: expect.stringContaining('several filters') },
  });
  expect((await desk.done('harbor-replication-remove', { policy: 'to-dr' })).plan?.undo).toBeUndefined();
});

test('a rule is deleted and comes back, where all of it can be said', async () => {
  await desk.done('harbor-replication-create', nightly);
  const before = { ...rule('nightly') };
  const run = await desk.done('harbor-replication-remove', { policy: 'nightly' });
  expect(rule('nightly')).toBeUndefined();
  await all.undo(run);
  expect(rule('nightly')).toEqual({ ...before, id: rule('nightly')?.id });
  Object.assign(rule('nightly') ?? {}, { description: 'for audits' });
  const last = await desk.done('harbor-replication-remove', { policy: 'nightly' });
  expect(last).toMatchObject({ state: 'finished' });
  expect(last.plan?.undo).toBeUndefined();
  expect(await desk.done('harbor-replication-remove', { policy: 'nightlyy' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
});
