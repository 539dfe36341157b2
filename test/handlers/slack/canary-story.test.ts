import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownBlock } from '@slack/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnouncer } from '../../../handlers/slack/announcer.ts';
import { buttonsOf } from '../../../handlers/slack/blocks/run-buttons.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import type { Loop } from '../../../jobs/loop.ts';
import { startNotifier } from '../../../jobs/notifier.ts';
import { at, type JsonObject } from '../../../src/core/json.ts';
import { isOver, type Run } from '../../../src/core/run.ts';
import { Settings } from '../../../src/core/settings.ts';
import type { SteerWish } from '../../../src/core/steer.ts';
import { advance } from '../../../src/engine/advance.ts';
import { request } from '../../../src/engine/request.ts';
import { steer } from '../../../src/engine/steer.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { createAlertStore, createNoticeStore } from '../../../src/store/notices.ts';
import { checkBlocks } from '../../../testbed/slack/check-blocks.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import type { Message } from '../../../testbed/slack/workspace.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../../support/desk.ts';
import { ana, ben, quiet, type TestEngine, testEngine } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

/** What a channel sees of a canary, from its first share to its end: each run in a cluster that does what it is told. */

const redis = redisForFile();
let slack: FakeSlack;
let engine: TestEngine;
let desk: Desk;
let notifier: Loop;
/** The worker that is at the run, and whether it may go on. */
let work: Promise<void>;
let working: boolean;

const settings = Settings.parse({
  apps: { web: { image: '127.0.0.1:5000/web', rollout: { drain: '1ms', reach: '1ms' } } },
  environments: { staging: { namespace: 'staging' } },
  people: { ana: { slack: 'UANA' }, ben: { slack: 'UBEN' } },
  policy: [{ name: 'free' }],
});

const objects: Record<string, JsonObject> = {
  'Service staging/web': {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'staging' },
    spec: { selector: { 'app.kubernetes.io/name': 'web' }, ports: [{ port: 80 }] },
  },
  'VirtualService staging/web': {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web', namespace: 'staging' },
    spec: { hosts: ['web'], http: [{ name: 'all', route: [{ destination: { host: 'web' } }] }] },
  },
};

beforeEach(async () => {
  slack = await startFakeSlack({ signingSecret: 'not used here', botToken: 'xoxb-test' });
  const world = fakeWorld();
  stock(world);
  const { read } = world.kube;
  world.kube.read = async (ref, signal) => {
    const object = await read(ref, signal);
    if (!object || ref.kind !== 'Deployment') return object;
    return { ...object, status: { readyReplicas: at(object, 'spec', 'replicas') ?? 1 } };
  };
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  const client = createSlackClient({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const alerts = createAlertStore(engine.redis);
  const { store, clients } = engine;
  const announce = createAnnouncer({
    now: Date.now,
    client,
    catalogue,
    store,
    alerts,
    order: clients.order,
    settings: () => settings,
    log: quiet,
  });
  notifier = await startNotifier({ notices: createNoticeStore(engine.redis), announce, log: quiet, standIn: false });
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1', replicas: 4 });
  for (const [key, object] of Object.entries(objects)) world.objects.set(key, object);
});
afterEach(async () => {
  working = false;
  await desk.leases.stop();
  await work;
  await notifier.stop();
  engine.close();
  await slack.close();
});

/** Takes it up again whenever it was laid aside, as it is while it is paused. */
async function workOn(id: string): Promise<void> {
  while (working && !isOver((await desk.run(id)).state)) {
    await advance(engine, desk.leases, id).catch(() => {});
    await sleep(100);
  }
}

async function begin(input: Record<string, unknown>): Promise<Run> {
  const origin = { surface: 'slack' as const, team: 'T0SHIPYARD', channel: 'C0SHIP', user: 'U0ANA' };
  const asked = { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', ...input };
  const { id } = await request(engine, { actor: ana, operation: 'deploy', input: asked, origin });
  working = true;
  work = workOn(id);
  return await desk.run(id);
}

const say = async ({ id }: Run, wish: SteerWish) => void (await steer(engine, await desk.run(id), ben, wish));

async function ended({ id }: Run): Promise<Run> {
  await work;
  return await desk.run(id);
}

/** All that a message says in sections and below, but not in its cards. */
const wordsOf = (blocks: readonly KnownBlock[]) =>
  blocks
    .flatMap((block) => {
      if (block.type === 'section') return [block.text?.text ?? ''];
      return block.type === 'context' ? block.elements.map((each) => ('text' in each ? each.text : '')) : [];
    })
    .join('\n');

/** The cards, as `50 % of the traffic: complete (for 3 s)`. */
function cardsOf(blocks: readonly KnownBlock[]): string[] {
  const plan = blocks.find((block) => block.type === 'plan');
  return (plan?.tasks ?? []).flatMap((task) => {
    if (task.type !== 'task_card') return [];
    const details = JSON.stringify(task.details ?? '').match(/"text":"([^"]*)"/)?.[1];
    return [`${String(task.title)}: ${String(task.status)}${details ? ` (${details})` : ''}`];
  });
}

const messageWith = (what: string) =>
  slack.waitFor(
    what,
    ({ thread, channel, blocks }) => channel === 'C0SHIP' && !thread && JSON.stringify(blocks).includes(what),
  );

function pictureIn({ blocks }: Message) {
  const image = blocks.find((block) => block.type === 'image');
  return image && 'slack_file' in image && 'id' in image.slack_file
    ? { id: image.slack_file.id, alt: image.alt_text }
    : undefined;
}

test('its message says what share it has, what comes next and when, and who paused and steered it', async () => {
  const run = await begin({ weights: [10, 25, 50], bake: '1h' });
  const first = await messageWith('*10 %* of the traffic on the new version');
  expect(wordsOf(first.blocks)).toMatch(/██░{18} \*10 %\*.*\nNext: 25 % <!date\^\d+\^\{ago\}, at \{time_secs\}\|at /);
  const since = Number(at((await desk.run(run.id)).steps['weight 10']?.memo, 'since'));
  const next = Number(/Next: 25 % <!date\^(\d+)/.exec(wordsOf(first.blocks))?.[1]);
  expect(next).toBe(Math.floor((since + 3_600_000) / 1_000));
  // No second passes by in it: an edit a second would be too many for Slack.
  expect(JSON.stringify(first.blocks)).not.toMatch(/\d+ (s|min) left/);
  expect(cardsOf(first.blocks).slice(1, 4)).toEqual([
    '10 % of the traffic: in_progress',
    '25 % of the traffic: pending',
    '50 % of the traffic: pending',
  ]);

  await say(run, { kind: 'pause' });
  const paused = await messageWith('*Paused* by <@UBEN>');
  expect(wordsOf(paused.blocks)).not.toContain('Next: 25 %');
  expect(checkBlocks('message', paused.blocks)).toEqual([]);

  await say(run, { kind: 'weight', weight: 40 });
  const steered = await messageWith('*40 %* of the traffic on the new version');
  expect(wordsOf(steered.blocks)).toContain('████████░░░░░░░░░░░░ *40 %*');
  expect(wordsOf(steered.blocks)).toMatch(/:hand: Paused by <@UBEN>.*\n:control_knobs: Given 40 % by <@UBEN>/);
  // 25 % was passed over and does not come any more.
  expect(cardsOf(steered.blocks).slice(1, 4)).toEqual([
    expect.stringMatching(/^10 % of the traffic: complete \(for \d+ s\)$/),
    expect.stringMatching(/^40 % of the traffic: in_progress/),
    '50 % of the traffic: pending',
  ]);

  await say(run, { kind: 'resume' });
  const resumed = await messageWith('Next: 50 % <!date');
  expect(wordsOf(resumed.blocks)).toContain(':arrow_forward: Resumed by <@UBEN>');
});

test('one that was aborted says by whom and why, and shows its chart', { timeout: 60_000 }, async () => {
  const run = await begin({ weights: [10, 25, 50], bake: '1h' });
  await messageWith('*10 %*');
  await say(run, { kind: 'promote', full: false });
  await messageWith('*25 %*');
  await say(run, { kind: 'abort', reason: 'checkout <!channel> is slow' });
  expect(await ended(run)).toMatchObject({ state: 'cancelled', report: { kind: 'rolled-back', reason: 'aborted' } });
  const shown = await messageWith('slack_file');
  expect(wordsOf(shown.blocks)).toContain(
    '*Aborted by <@UBEN> (“checkout &lt;!channel&gt; is slow”). All traffic is on stable.*\n10 % for ',
  );
  expect(wordsOf(shown.blocks)).toContain(':rewind: *Aborted*');
  expect(cardsOf(shown.blocks).map((card) => card.replace(/ \(.*/, ''))).toEqual([
    'Put up the new version beside the old one: complete',
    '10 % of the traffic: complete',
    '25 % of the traffic: complete',
    'Send all traffic back to stable: complete',
    'Clear away what stood beside it: complete',
  ]);

  expect(slack.thread(shown).flatMap(({ files }) => files ?? [])).toEqual([]);
  const upload = slack.space.files.get(pictureIn(shown)?.id ?? '');
  expect(upload).toMatchObject({ name: 'Deploy-web-to-staging.png', attached: { mimetype: 'image/png' } });
  expect(pictureIn(shown)).toEqual({
    id: upload?.id,
    alt: expect.stringMatching(
      /^Chart of the share of the traffic on the new version: 10 % for \d+ s → 25 % for \d+ s, then all traffic went back to stable\.$/,
    ),
  });
  if (process.env.CHART && upload?.attached) writeFileSync(process.env.CHART, upload.attached.bytes);
});

test('buttons are there for as long as they do something', async () => {
  const asked = await begin({ weights: [50], bake: '1h' });
  await messageWith('*50 %*');
  const run = await desk.run(asked.id);
  const words = (steps: Run['steps'], watch = false) => {
    const checklist = watch ? [...run.checklist, 'watch'] : run.checklist;
    const buttons = buttonsOf({ ...run, checklist, steps: { ...run.steps, ...steps } }, settings);
    return buttons
      .flatMap((block) => (block.type === 'actions' ? block.elements : []))
      .flatMap((one) => (one.type === 'button' ? [one.text.text] : []));
  };
  const now = { state: 'started' as const, startedAt: 1 };
  expect(words({})).toEqual(['Promote', 'Pause', 'Abort']);
  expect(words({ promote: now })).toEqual(['Abort']);
  expect(words({ return: now, remove: now })).toEqual([]);
  // What is said while it clears away is heard when it is watched.
  expect(words({ return: now, remove: now }, true)).toEqual(['Abort']);
  expect(words({ back: now })).toEqual([]);
});

test('one that was promoted says which way it went', async () => {
  const run = await begin({ weights: [50], bake: '1s' });
  expect(await ended(run)).toMatchObject({ state: 'finished' });
  const shown = await messageWith('slack_file');
  expect(wordsOf(shown.blocks)).toMatch(/\*All traffic is on the new version: \d of \d pods ready\.\*\n50 % for \d+ s/);
  expect(cardsOf(shown.blocks).every((card) => card.includes(': complete'))).toBe(true);
  expect(pictureIn(shown)?.alt).toContain('then it was promoted');
});

test('a picture that Slack does not know yet comes a little later, and the message never suffers for it', async () => {
  const run = await begin({ weights: [50], bake: '1h' });
  await messageWith('*50 %*');
  const before = slack.messages('C0SHIP').length;
  await say(run, { kind: 'abort' });
  await slack.waitFor('the end', ({ thread, text }) => !thread && text.includes('All traffic is on stable'));
  slack.fault('chat.update', { times: 2, error: 'invalid_blocks' });
  const shown = await messageWith('slack_file');
  expect(wordsOf(shown.blocks)).toContain('*Aborted by <@UBEN>. All traffic is on stable.*');
  expect(slack.thread(shown).filter(({ files }) => files)).toEqual([]);
  expect(slack.messages('C0SHIP')).toHaveLength(before);
});

test.each(['files.getUploadURLExternal', 'files.completeUploadExternal'])(
  'where %s is refused, the end is told without a picture, and it is not tried for ever',
  async (method) => {
    slack.fault(method, { times: 50, error: 'missing_scope' });
    const run = await begin({ weights: [50], bake: '1h' });
    await messageWith('*50 %*');
    await say(run, { kind: 'abort' });
    const shown = await messageWith('All traffic is on stable');
    await slack.waitFor(
      'its thread',
      ({ thread, text }) => thread === shown.ts && text.includes('All traffic is on stable'),
    );
    await expect.poll(() => engine.redis.zcard('{shipmate}:v1:dirty'), { timeout: 10_000 }).toBe(0);
    expect(slack.thread(shown).filter(({ files }) => files)).toEqual([]);
    expect(checkBlocks('message', shown.blocks)).toEqual([]);
  },
);
