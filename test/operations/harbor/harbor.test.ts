import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { request } from '../../../src/engine/request.ts';
import type { Desk } from '../../support/desk.ts';
import { ana, type TestEngine } from '../../support/engine.ts';
import { type HarborDesk, harborDesk } from '../../support/harbor-desk.ts';
import type { HarborServer } from '../../support/harbor-server.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

/** The operations through the real client against the fake, which holds each call against Harbor's contract. */

let redis: TestRedis;
let server: HarborServer;
let engine: TestEngine;
let desk: Desk;
let given: string[];
let undo: HarborDesk['undo'];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  const all = await harborDesk(redis.url);
  ({ server, engine, desk, given, undo } = all);
  return all.end;
});

test('projects, repositories and artifacts are shown', async () => {
  expect((await desk.done('harbor-projects', {})).report).toMatchObject({
    rows: [['team', 'members', '1', 'on demand', expect.any(String)], expect.any(Array)],
  });
  expect((await desk.done('harbor-repositories', { project: 'team' })).report).toMatchObject({
    rows: [['team/web', '2', '7', expect.any(String)]],
  });
  expect(await desk.done('harbor-repositories', { project: 'taem' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
  expect((await desk.done('harbor-artifacts', { repository: 'team/web' })).report).toMatchObject({
    rows: [
      ['v1', 'a'.repeat(12), '1.0 MiB', 'not scanned', '', expect.any(String)],
      ['v2, latest', 'b'.repeat(12), '2.0 MiB', 'not scanned', '', expect.any(String)],
    ],
  });
  await expect(desk.ask('harbor-artifacts', { repository: 'web' })).rejects.toMatchObject({
    message: expect.stringContaining('PROJECT/REPOSITORY'),
  });
});

test('a project is made once', async () => {
  expect(await desk.done('harbor-project-create', { project: 'fresh' })).toMatchObject({ state: 'finished' });
  expect(server.harbor.state.projects.at(-1)).toMatchObject({
    name: 'fresh',
    metadata: { public: 'false', auto_scan: 'true' },
  });
  expect(await desk.done('harbor-project-create', { project: 'fresh' })).toMatchObject({
    fault: { code: 'OBJECT_EXISTS' },
  });
});

test('a scan is asked for, followed to its end and reported, worst first', async () => {
  const image = { repository: 'team/web', reference: 'v1' };
  expect((await desk.done('harbor-report', image)).report).toMatchObject({
    note: expect.stringContaining('not scanned'),
  });
  server.harbor.scans.splice(0, 1, 'Running', 'Running', 'Success');
  const run = await desk.done('harbor-scan', image);
  expect(run).toMatchObject({
    state: 'finished',
    report: {
      rows: [
        ['CVE-1', 'Critical', 'openssl', '1.1', '1.2'],
        ['CVE-2', 'Low', 'openssl', '1.1', ''],
      ],
      note: '1 critical, 1 low; 1 can be fixed',
    },
  });
  expect(run.plan?.changes[0]?.to).toBe(`sha256:${'a'.repeat(64)}`);
  expect((await desk.done('harbor-report', image)).report).toMatchObject({ note: '1 critical, 1 low; 1 can be fixed' });
  server.harbor.scans.splice(0, 9, 'Error');
  expect(await desk.done('harbor-scan', { ...image, reference: 'v2' })).toMatchObject({
    fault: { message: expect.stringContaining('ended as “Error”') },
  });
  expect(await desk.done('harbor-scan', { ...image, reference: 'v3' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean') },
  });
});

test('a tag is put on, moved, taken off, and each is undone', async () => {
  const holder = (tag: string) =>
    server.harbor.state.artifacts.find((each) => JSON.stringify(each.tags).includes(`"${tag}"`))?.digest;
  const stable = { repository: 'team/web', tag: 'stable' };
  const first = await desk.done('harbor-tag', { ...stable, reference: 'v1' });
  expect(holder('stable')).toBe(`sha256:${'a'.repeat(64)}`);
  const moved = await desk.done('harbor-tag', { ...stable, reference: 'v2' });
  expect(moved.plan?.changes).toEqual([
    { path: 'tag/team/web:stable', from: `sha256:${'a'.repeat(64)}`, to: `sha256:${'b'.repeat(64)}` },
  ]);
  expect(holder('stable')).toBe(`sha256:${'b'.repeat(64)}`);
  expect(await desk.done('harbor-tag', { ...stable, reference: 'v2' })).toMatchObject({
    report: { kind: 'unchanged' },
  });
  await undo(moved);
  expect(holder('stable')).toBe(`sha256:${'a'.repeat(64)}`);
  await undo(first);
  expect(holder('stable')).toBeUndefined();
  const off = await desk.done('harbor-untag', { repository: 'team/web', tag: 'v1' });
  expect(holder('v1')).toBeUndefined();
  await undo(off);
  expect(holder('v1')).toBe(`sha256:${'a'.repeat(64)}`);
});

const slackAsk = async (operation: string, input: Record<string, unknown>) => {
  const origin = { surface: 'slack' as const, team: 'T1', channel: 'C1', user: 'UANA' };
  return await desk.lap((await request(engine, { actor: ana, operation, input, origin })).id);
};

test('a robot’s secret goes to its asker alone: it is in no record, event, audit or log', async () => {
  const input = { project: 'team', name: 'nightly', access: 'push', days: 90 };
  const run = await slackAsk('harbor-robot-create', input);
  expect(run).toMatchObject({ state: 'finished', report: { objects: ['robot/robot$team+nightly'] } });
  const [secret = 'none'] = server.harbor.secrets;
  expect(given).toEqual([expect.stringContaining(secret)]);
  await engine.audit.seal();
  const stored = JSON.stringify([
    await engine.store.read(run.id),
    await engine.store.events(run.id, '', 500),
    await engine.audit.read({ limit: 500 }),
  ]);
  expect(stored).toContain('its secret was shown');
  expect(stored).not.toContain(secret);
  const keys = await engine.redis.keys('*');
  for (const key of keys) expect((await engine.redis.dumpBuffer(key))?.toString('latin1') ?? '').not.toContain(secret);
  expect((await desk.done('harbor-robots', { project: 'team' })).report).toMatchObject({
    rows: [
      expect.any(Array),
      ['robot$team+nightly', 'pull repository, push repository', '2027-01-15', expect.any(String)],
    ],
  });
  expect(await slackAsk('harbor-robot-create', input)).toMatchObject({ fault: { code: 'OBJECT_EXISTS' } });
  await undo(run);
  expect(server.harbor.state.robots).toHaveLength(1);
  expect(await desk.done('harbor-robot-remove', { project: 'team', name: 'ci' })).toMatchObject({ state: 'finished' });
  expect(server.harbor.state.robots).toEqual([]);
  expect(await desk.done('harbor-robot-remove', { project: 'team', name: 'ci' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
});

test('where the asker cannot be reached no robot is made, and one whose secret was not taken is deleted again', async () => {
  const input = { project: 'team', name: 'rest' };
  expect(await desk.done('harbor-robot-create', input)).toMatchObject({ fault: { code: 'ONLY_IN_PERSON' } });
  engine.clients.hand.give = async () => {
    throw new Error('channel_not_found');
  };
  expect(await slackAsk('harbor-robot-create', input)).toMatchObject({
    state: 'failed',
    fault: { code: 'ONLY_IN_PERSON' },
  });
  expect(server.harbor.state.robots.map(({ name }) => name)).toEqual(['robot$team+ci']);
});

test('retention is shown, set, undone, and run dry before it deletes', async () => {
  expect((await desk.done('harbor-retention', { project: 'team' })).report).toMatchObject({
    title: 'Retention of team',
    rows: [['the 10 newest of **', 'retain']],
    note: 'It runs at 0 0 3 * * *.',
  });
  const run = await desk.done('harbor-retention-set', { project: 'team', keep: 5, tags: 'v*' });
  expect(run.plan?.changes).toEqual([
    { path: 'retention/team', from: 'the 10 newest of **', to: 'the 5 newest of v*' },
  ]);
  await undo(run);
  expect((await desk.done('harbor-retention', { project: 'team' })).report).toMatchObject({
    rows: [['the 10 newest of **', 'retain']],
  });
  expect(await desk.done('harbor-retention-set', { project: 'base', keep: 3 })).toMatchObject({ state: 'finished' });
  expect((await desk.done('harbor-retention', { project: 'base' })).report).toMatchObject({
    rows: [['the 3 newest of **', 'retain']],
  });
  const dry = await desk.done('harbor-retention-run', { project: 'team' });
  expect(dry.report).toMatchObject({
    columns: expect.arrayContaining(['Would go']),
    rows: [['web', '12', '10', '2', 'Success']],
    note: expect.stringContaining('dry=no'),
  });
  expect(server.harbor.state.retentionRuns).toMatchObject([{ dry_run: true }]);
  expect((await desk.done('harbor-retention-run', { project: 'team', dry: false })).report).toMatchObject({
    note: '2 are gone.',
  });
});

test('quotas are shown fullest first, set, and undone; one below what is held is said to be', async () => {
  expect((await desk.done('harbor-quotas', {})).report).toMatchObject({
    rows: [
      ['team', '6.0 GiB', '10.0 GiB', '60 %'],
      ['base', '6.0 GiB', 'no limit', ''],
    ],
  });
  const run = await desk.done('harbor-quota-set', { project: 'team', size: '5Gi' });
  expect(run.plan?.summary).toContain('nothing more can be pushed');
  expect(server.harbor.state.quotas[0]).toMatchObject({ hard: { storage: 5 * 1_024 ** 3 } });
  await undo(run);
  expect(server.harbor.state.quotas[0]).toMatchObject({ hard: { storage: 10 * 1_024 ** 3 } });
  expect(await desk.done('harbor-quota-set', { project: 'team', size: '10Gi' })).toMatchObject({
    report: { kind: 'unchanged' },
  });
});

test('news are read in Harbor', async () => {
  const image = { repository: 'team/web', reference: 'v2' };
  expect((await desk.done('harbor-news', image)).report).toMatchObject({
    note: expect.stringMatching(/^team\/web:v2, latest is in Harbor \(2\.0 MiB/),
  });
  expect((await desk.done('harbor-news', { repository: 'team/web', about: 'quota' })).report).toMatchObject({
    note: expect.stringContaining('6.0 GiB of 10.0 GiB (60 %)'),
  });
});
