import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnouncer } from '../../../handlers/slack/announcer.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import type { Announcer } from '../../../src/core/notices.ts';
import { Run } from '../../../src/core/run.ts';
import type { Point } from '../../../src/core/series.ts';
import type { Shown } from '../../../src/core/shown.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { createAlertStore } from '../../../src/store/notices.ts';
import { checkBlocks } from '../../../testbed/slack/check-blocks.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { quiet, type TestEngine, testEngine, testSettings } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

/** The chart in a canary's message while the canary is under way, on a clock of the test's own. */

const redis = redisForFile();
const second = 1_000;
const start = Date.UTC(2026, 10, 28, 2);
const lookEvery = 2 * second;
const stages = [10, 25, 50].map((weight) => ({ weight, bake: 120 * second }));

let slack: FakeSlack;
let engine: TestEngine;
let announce: Announcer;
let now: number;
let run: Run;
let shown: Shown | undefined;

const pointsOf = (weight: number, from: number, until: number): Point[] =>
  Array.from({ length: Math.max(0, Math.floor((until - from) / lookEvery)) }, (_, n) => ({
    at: from + (n + 1) * lookEvery,
    weight,
    stable: { rate: 1, latency: 40 },
    canary: { rate: 0.99, latency: 60 },
  }));

/** The canary at so many seconds after it got its first share; each share lasts two minutes. */
function canaryAt(seconds: number): Run {
  const at = start + seconds * second;
  const index = Math.min(stages.length - 1, Math.floor(seconds / 120));
  const steps = stages.slice(0, index + 1).map(({ weight }, n) => {
    const since = start + n * 120 * second;
    const until = Math.min(at, since + 120 * second);
    const way = { since, points: pointsOf(weight, since, until) };
    const done = n < index;
    return [
      `weight ${weight}`,
      done
        ? {
            state: 'done',
            startedAt: since,
            endedAt: until,
            result: { ...way, next: { kind: 'on', full: false }, heard: 0, paused: false, until },
          }
        : { state: 'started', startedAt: since, memo: { ...way, unknown: [] }, note: `${weight} % · look ${seconds}` },
    ];
  });
  return Run.parse({
    id: 'r1',
    version: 1,
    operation: 'deploy',
    effect: 'change',
    input: { app: 'web', env: 'staging' },
    actor: { kind: 'slack', team: 'T0SHIPYARD', user: 'U0ANA' },
    origin: { surface: 'slack', team: 'T0SHIPYARD', channel: 'C0SHIP', user: 'U0ANA' },
    state: 'running',
    createdAt: start,
    updatedAt: at,
    plan: {
      summary: 'web to v2',
      changes: [],
      takesOver: [],
      digest: 'd',
      rollout: {
        strategy: 'canary',
        stages,
        stable: 'web',
        canary: 'web-canary',
        service: 'web',
        ports: [80],
        router: {
          kind: 'istio',
          ref: { apiVersion: 'v1', kind: 'VirtualService', namespace: 'n', name: 'web' },
          created: false,
        },
        watchMs: 0,
        drainMs: 0,
        reachMs: 0,
      },
    },
    checklist: ['prepare', ...stages.map(({ weight }) => `weight ${weight}`), 'promote', 'return', 'remove'],
    steps: { prepare: { state: 'done', startedAt: start - 1, endedAt: start }, ...Object.fromEntries(steps) },
  });
}

/** The same, rolled back. */
const rolledBackAt = (seconds: number): Run =>
  Run.parse({
    ...canaryAt(seconds),
    state: 'failed',
    report: {
      kind: 'rolled-back',
      strategy: 'canary',
      reason: 'regression',
      detail: 'success rate 93 %',
      stages: [{ weight: 10, since: start, until: start + seconds * second }],
      series: pointsOf(10, start, start + seconds * second),
    },
  });

beforeEach(async () => {
  slack = await startFakeSlack({ signingSecret: 'not used here', botToken: 'xoxb-test' });
  const { clients } = fakeWorld();
  engine = await testEngine(redis().url, clients);
  [now, run, shown] = [start, canaryAt(0), undefined];
  announce = createAnnouncer({
    now: () => now,
    client: createSlackClient({ token: 'xoxb-test', apiUrl: slack.apiUrl }),
    catalogue,
    store: { ...engine.store, read: async () => run, steers: async () => [] },
    alerts: createAlertStore(engine.redis),
    order: engine.clients.order,
    settings: () => testSettings,
    log: quiet,
  });
});
afterEach(async () => {
  engine.close();
  await slack.close();
});

const look = () => announce({ kind: 'run', id: 'r1' }, shown, async () => {});

/** What a notifier does at that second: it announces the run, and keeps what came of it. @returns when it wants to be back */
async function notifiedAt(seconds: number, state: (seconds: number) => Run = canaryAt): Promise<number | undefined> {
  [now, run] = [start + seconds * second, state(seconds)];
  const announced = await look();
  if (announced.kind !== 'nothing') shown = announced.shown ?? shown;
  return announced.kind === 'later' ? announced.ms : undefined;
}

/** A notifier that follows the run from second to second. */
async function followed(from: number, to: number, state?: (seconds: number) => Run): Promise<void> {
  for (let seconds = from; seconds <= to; seconds += 2) await notifiedAt(seconds, state);
}

const called = (method: string) => slack.calls.filter((call) => call.method === method).length;
const message = () => {
  const [only, ...more] = slack.messages('C0SHIP');
  expect(more).toEqual([]);
  if (!only) throw new Error('there is no message');
  expect(checkBlocks('message', only.blocks)).toEqual([]);
  return only;
};
const pictures = () => message().blocks.filter((block) => block.type === 'image');
const words = () => JSON.stringify(message().blocks);
const files = () => [...slack.space.files.keys()];

test('while it is under way its message shows a chart, and the same in letters, and none of it is in the thread', async () => {
  await notifiedAt(0);
  expect(pictures()).toEqual([]);
  await followed(2, 40);
  expect(words()).toMatch(/Success rate [▁-▇]+ \*99 %\* · stable [▁-▇]+ \*100 %\*/);
  expect(words()).toMatch(/Latency [▁-▇]+ \*60 ms\*/);
  expect(pictures()).toEqual([
    expect.objectContaining({
      slack_file: { id: files()[0] },
      alt_text: expect.stringContaining('10 %, and it is under way. Success rate at the end: 99 % on the new version'),
    }),
  ]);
  expect(slack.thread(message())).toEqual([]);
});

test('it is renewed at each share and every half a minute, and the file before goes', { timeout: 60_000 }, async () => {
  await followed(0, 10);
  const [first] = files();
  expect(pictures()).toMatchObject([{ slack_file: { id: first } }]);
  await followed(12, 28);
  expect(files()).toEqual([first]);
  await followed(30, 44);
  const [second_] = files();
  expect(files()).toHaveLength(1);
  expect(second_).not.toBe(first);
  await followed(46, 118);
  const [before] = files();
  await followed(120, 124);
  expect(words()).toContain('*25 %* of the traffic');
  expect(files()).not.toContain(before);
  expect(pictures()).toMatchObject([
    { slack_file: { id: files()[0] }, alt_text: expect.stringContaining('10 % → 25 %') },
  ]);
});

test('six minutes of it, looked at every two seconds, are within what Slack takes', { timeout: 60_000 }, async () => {
  await followed(0, 358);
  const [uploads, edits] = [called('files.completeUploadExternal'), called('chat.update')];
  // Three shares, and a picture each half a minute; an edit each ten seconds, one a picture and one a share.
  expect(uploads).toBeGreaterThan(9);
  expect(uploads).toBeLessThanOrEqual(15);
  expect(edits).toBeLessThanOrEqual(60);
  expect(called('chat.postMessage')).toBe(1);
  await followed(360, 364, rolledBackAt);
  expect(words()).toContain('All traffic is on stable');
  expect(pictures()).toMatchObject([{ alt_text: expect.stringContaining('then all traffic went back to stable') }]);
  expect(files()).toHaveLength(1);
  const after = called('files.completeUploadExternal');
  await followed(366, 500, rolledBackAt);
  expect(called('files.completeUploadExternal')).toBe(after);
});

test.each(['while it is under way', 'at its end'])(
  'a notifier that is killed between the upload and the saving of it brings no second chart: %s',
  async (when) => {
    const state = when === 'at its end' ? rolledBackAt : canaryAt;
    await notifiedAt(10, state);
    const saved = shown;
    // What came of it is lost: the upload is done, the record does not know of it.
    shown = saved && { ...saved, picture: undefined };
    await followed(12, 30, state);
    expect(pictures()).toHaveLength(1);
    expect(slack.thread(message()).filter(({ files: uploaded }) => uploaded)).toEqual([]);
    expect([...slack.space.messages.values()].filter(({ files: uploaded }) => uploaded)).toEqual([]);
  },
);

test('killed after the edit and before the saving of it, the picture that is shown stays', async () => {
  let seconds = 0;
  for (; files().length < 2; seconds += 2) await notifiedAt(seconds);
  const saved = shown;
  const [old] = files();
  for (; files().length > 1; seconds += 2) await notifiedAt(seconds);
  expect(files()).not.toContain(old);
  shown = saved;
  await followed(seconds, seconds + 10);
  expect(pictures()).toHaveLength(1);
  const [picture] = pictures();
  expect(files()).toContain(picture && 'slack_file' in picture && 'id' in picture.slack_file && picture.slack_file.id);
});

test('until Slack shows the new one, the one before stays', async () => {
  await followed(0, 30);
  const [first] = files();
  await notifiedAt(44);
  expect(files()).toHaveLength(2);
  slack.fault('chat.update', { times: 1, error: 'invalid_blocks' });
  expect(await notifiedAt(46)).toBe(2_000);
  expect(pictures()).toMatchObject([{ slack_file: { id: first } }]);
  await followed(48, 60);
  expect(pictures()).toHaveLength(1);
  expect(files()).not.toContain(first);
});

test('where no file can be uploaded the letters say it, and it is tried again only at the end', async () => {
  slack.fault('files.getUploadURLExternal', { times: 100, error: 'missing_scope' });
  await followed(0, 100);
  expect(called('files.getUploadURLExternal')).toBe(1);
  expect(pictures()).toEqual([]);
  expect(words()).toMatch(/Success rate [▁-▇]+ \*99 %/);
  await followed(102, 130, rolledBackAt);
  expect(called('files.getUploadURLExternal')).toBe(2);
  expect(words()).toMatch(/Success rate [▁-▇]+ \*99 %/);
});

test('a share that comes soon after a picture is drawn all the same, though nothing happens afterwards', async () => {
  await followed(0, 116);
  const ms = await notifiedAt(120);
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(10_000);
});
