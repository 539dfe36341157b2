import { describe, expect, test } from 'vitest';
import { send } from '../../../testbed/slack/delivery.ts';
import { actionOf } from '../../../testbed/slack/elements.ts';
import { redisForFile } from '../../support/redis.ts';
import { startSlackBot } from '../../support/slack-bot.ts';

const redis = redisForFile();
const start = (grid = false) => startSlackBot(redis().url, { grid });
type Bot = Awaited<ReturnType<typeof start>>;

const outside = expect.stringContaining('you are from another workspace');

/** Clicks are acknowledged before their effect. */
const approved = async ({ engine }: Bot, id: string, user: string) =>
  await expect
    .poll(() => engine.store.read(id))
    .toMatchObject({ state: 'running', decisions: [{ actor: { user, team: 'T0SHIPYARD' } }] });

/** Nobody has decided anything about the run. */
const untouched = async ({ engine }: Bot, id: string) =>
  expect(await engine.store.read(id)).toMatchObject({ state: 'awaiting', decisions: [] });

describe('a member of another organization, in a channel shared by Slack Connect', () => {
  test('may not approve production', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0DOCK');
    await bot.slack.click('U0EVE', card, 'Approve');
    await expect.poll(() => bot.told('U0EVE')).toEqual([outside]);
    await untouched(bot, id);
    await bot.slack.click('U0BEN', card, 'Approve');
    await approved(bot, id, 'U0BEN');
  });

  test('may not reject: neither by the button nor by a form', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0DOCK');
    await bot.slack.click('U0EVE', card, 'Reject');
    expect(bot.slack.space.views.size).toBe(0);
    await bot.slack.click('U0BEN', card, 'Reject');
    await expect.poll(() => bot.slack.space.views.size).toBe(1);
    const [view] = bot.slack.space.views.values();
    const { body } = await bot.slack.submit('U0EVE', view?.id ?? '', { reason: 'no' });
    expect(body).toMatchObject({ response_action: 'errors', errors: { reason: outside } });
    await untouched(bot, id);
  });

  test('may not stop a run, answer it, or ask for one by a button or a form', async () => {
    const bot = await start();
    const { id } = await bot.awaiting('C0DOCK');
    const buttons: [string, string][] = [
      ['run_stop', id],
      ['run_answer_0', `${id} go on`],
      ['run_review', id],
      ['ask_0', JSON.stringify({ operation: 'deploy', input: { app: 'web', env: 'staging', image: 'v1' } })],
    ];
    const elements = buttons.map(([action_id, value]) => ({
      type: 'button' as const,
      action_id,
      value,
      text: { type: 'plain_text' as const, text: action_id },
    }));
    await bot.client.chat.postMessage({ channel: 'C0DOCK', text: 'all', blocks: [{ type: 'actions', elements }] });
    const all = await bot.slack.waitFor('the buttons', ({ text }) => text === 'all');
    for (const [action] of buttons) await bot.slack.click('U0EVE', all, action);
    await expect.poll(() => bot.told('U0EVE')).toEqual(buttons.map(() => outside));
    await bot.slack.command('U0ANA', 'C0DOCK', '/deploy');
    await expect.poll(() => bot.slack.space.views.size).toBe(1);
    const [view] = bot.slack.space.views.values();
    const values = { app: 'web', env: 'staging', image: 'v1' };
    await bot.slack.submit('U0EVE', view?.id ?? '', values);
    expect((await bot.runs()).map((run) => run.id)).toEqual([id]);
    await untouched(bot, id);
  });

  test('may not ask by a mention; and their files are not fetched', async () => {
    const bot = await start();
    await bot.slack.say('U0EVE', 'C0DOCK', '@shipmate deploy web:v1 staging');
    await expect.poll(() => bot.told('U0EVE')).toEqual([outside]);
    const files = [{ name: 'web.yaml', content: 'kind: ConfigMap' }];
    await bot.slack.say('U0EVE', 'C0DOCK', '@shipmate apply in staging', { files });
    await expect.poll(() => bot.told('U0EVE')).toEqual([outside, outside]);
    expect(await bot.runs()).toEqual([]);
    expect(bot.slack.calls.map(({ method }) => method)).not.toContain('files.info');
  });

  test('may not even read the help, as their own workspace’s app would ask for it', async () => {
    const bot = await start();
    for (const line of ['/ship help', '/deploy web:v1 staging']) {
      await send(bot.slack.signed(bot.slack.commandForm('U0EVE', 'C0DOCK', line)));
    }
    expect(await bot.runs()).toEqual([]);
    const form = bot.slack.commandForm('U0EVE', 'C0DOCK', '/ship help');
    expect((await send(bot.slack.signed({ ...form, team_id: 'T0SHIPYARD' }))).body).toMatchObject({ text: outside });
  });
});

test.each(['shortcut', 'message_action', 'block_suggestion', 'a kind of tomorrow'])(
  'a request of a kind that nothing listens to yet comes no further: %s',
  async (type) => {
    const bot = await start();
    const payload = { type, user: { id: 'U0EVE', team_id: 'T0SUPPLIER' }, team: { id: 'T0SHIPYARD' }, actions: [] };
    const sent = { ...payload, channel: { id: 'C0DOCK' }, callback_id: 'deploy', trigger_id: '1', value: '' };
    await send(bot.slack.signed({ payload: JSON.stringify(sent) }));
    await expect.poll(() => bot.told('U0EVE')).toEqual(type.includes(' ') ? [] : [outside]);
    expect(await bot.runs()).toEqual([]);
  },
);

describe('who else is no full member', () => {
  test.each([
    ['U0GUS', 'a guest'],
    ['U0OLD', 'a former member'],
    ['U0SHIPMATE', 'a bot'],
  ])('%s is %s', async (user, kind) => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0SHIP');
    await bot.slack.click(user, card, 'Approve');
    await expect.poll(() => bot.told(user)).toEqual([expect.stringContaining(`you are ${kind}`)]);
    await untouched(bot, id);
  });

  test('a colleague’s click that was sent to the app’s installation in another workspace', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0SHIP');
    const payload = {
      type: 'block_actions',
      team: { id: 'T0SUPPLIER' },
      user: { id: 'U0BEN', team_id: 'T0SHIPYARD' },
      channel: { id: 'C0SHIP' },
      actions: [actionOf(card, 'Approve')],
    };
    await send(bot.slack.signed({ payload: JSON.stringify(payload) }));
    await expect.poll(() => bot.told('U0BEN')).toEqual([outside]);
    await untouched(bot, id);
  });

  test('a mention that Slack authorized for another installation, whatever else it names', async () => {
    const bot = await start();
    const told = () => bot.told('U0BEN').length;
    const form = (authorized: string) => ({
      type: 'event_callback',
      team_id: 'T0SHIPYARD',
      context_team_id: 'T0SHIPYARD',
      event_id: `Ev${authorized}`,
      authorizations: [{ team_id: authorized, enterprise_id: null, is_bot: true, user_id: 'U0SHIPMATE' }],
      event: {
        type: 'app_mention',
        user: 'U0BEN',
        text: '<@U0SHIPMATE> status web',
        ts: '1.1',
        channel: 'C0SHIP',
        team: 'T0SHIPYARD',
      },
    });
    for (const [index, team] of ['T0SUPPLIER', 'T0SHIPYARD'].entries()) {
      const body = JSON.stringify(form(team));
      const { url, headers } = bot.slack.signedJson(body);
      await send({ url, body, headers });
      if (team === 'T0SUPPLIER') await expect.poll(told).toBe(index + 1);
    }
    await expect.poll(async () => (await bot.runs()).length).toBe(1);
  });
});

describe('on Enterprise Grid', () => {
  test('a colleague whose first workspace is another one is one of us', async () => {
    const bot = await start(true);
    const { id, card } = await bot.awaiting('C0SHIP');
    await bot.slack.click('U0DUO', card, 'Approve');
    await approved(bot, id, 'U0DUO');
  });

  test('a member of another workspace of the organization is not', async () => {
    const bot = await start(true);
    const { id, card } = await bot.awaiting('C0FLEET');
    await bot.slack.click('U0ORG', card, 'Approve');
    await expect.poll(() => bot.told('U0ORG')).toEqual([outside]);
    await untouched(bot, id);
    await bot.slack.say('U0ORG', 'C0FLEET', '@shipmate deploy web:v1 staging');
    await expect.poll(() => bot.told('U0ORG')).toEqual([outside, outside]);
    expect(await bot.runs()).toHaveLength(1);
  });

  test('nor is somebody of another organization, who says that our workspace is theirs', async () => {
    const bot = await start(true);
    const { id, card } = await bot.awaiting('C0DOCK');
    await bot.slack.click('U0EVE', card, 'Approve');
    await expect.poll(() => bot.told('U0EVE')).toEqual([outside]);
    await untouched(bot, id);
  });
});

describe('the worker looks again', () => {
  test('who approved and has become a guest since counts no more: nothing is changed', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0SHIP');
    await bot.slack.click('U0BEN', card, 'Approve');
    await approved(bot, id, 'U0BEN');
    const ben = bot.slack.space.users.find((user) => user.id === 'U0BEN');
    if (ben) ben.guest = true;
    bot.wait();
    expect(await bot.work(id)).toMatchObject({
      state: 'denied',
      fault: {
        code: 'NO_LONGER_MEMBER',
        message: expect.stringContaining('U0BEN asked for this or approved it, and is a guest'),
      },
    });
    expect(bot.world.applied).toEqual([]);
  });

  test('who asked and has left since gets nothing, not even an answer', async () => {
    const bot = await start();
    await bot.slack.command('U0CHO', 'C0SHIP', '/deploy web:v1 staging');
    const cho = bot.slack.space.users.find((user) => user.id === 'U0CHO');
    if (cho) cho.deleted = true;
    const [run] = await bot.runs();
    expect(await bot.work(run?.id ?? '')).toMatchObject({ state: 'denied', fault: { code: 'NO_LONGER_MEMBER' } });
    expect(bot.world.applied).toEqual([]);
  });

  test('a run of somebody whom an older Shipmate took for one of us is not done', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0DOCK');
    await bot.slack.click('U0BEN', card, 'Approve');
    await approved(bot, id, 'U0BEN');
    const run = await bot.engine.store.read(id);
    if (!run) throw new Error('the run is gone');
    const decisions = run.decisions.map((each) => ({
      ...each,
      actor: { kind: 'slack' as const, team: 'T0SUPPLIER', user: 'U0EVE' },
    }));
    await bot.engine.store.commit({ run: { ...run, version: run.version + 1, decisions }, events: [] });
    expect(await bot.work(id)).toMatchObject({ state: 'denied', fault: { code: 'NO_LONGER_MEMBER' } });
    expect(bot.world.applied).toEqual([]);
  });

  test('Slack that is away for a moment is waited for', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0SHIP');
    await bot.slack.click('U0BEN', card, 'Approve');
    await approved(bot, id, 'U0BEN');
    bot.wait();
    bot.slack.fault('users.info', { times: 1, status: 500 });
    expect(await bot.work(id)).toMatchObject({ state: 'finished' });
  });

  test('Slack says nothing for a minute: nothing is changed, until it answers', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0SHIP');
    await bot.slack.click('U0BEN', card, 'Approve');
    await approved(bot, id, 'U0BEN');
    bot.wait();
    bot.slack.fault('users.info', { times: 3, status: 500 });
    const waits = await bot.work(id);
    expect(waits).toMatchObject({ state: 'running', unidentified: { actor: { user: 'U0ANA' } } });
    bot.engine.now = () => Date.now() + 60_000;
    expect(await bot.work(id)).toMatchObject({ state: 'running', unidentified: { tries: 2 } });
    expect(bot.world.applied).toEqual([]);
    expect(await bot.work(id)).toMatchObject({ state: 'finished' });
    expect(bot.world.applied).toHaveLength(1);
  });

  test('Slack knows nobody of that name: that is an answer', async () => {
    const bot = await start();
    const { id, card } = await bot.awaiting('C0SHIP');
    await bot.slack.click('U0BEN', card, 'Approve');
    await approved(bot, id, 'U0BEN');
    bot.wait();
    bot.slack.space.users = bot.slack.space.users.filter((user) => user.id !== 'U0BEN');
    expect(await bot.work(id)).toMatchObject({
      state: 'denied',
      fault: { code: 'NO_LONGER_MEMBER', message: expect.stringContaining('is unknown to Slack') },
    });
    expect(bot.world.applied).toEqual([]);
  });
});

test('Slack says nothing of the installation, or of the person: the answer is no', async () => {
  const bot = await start();
  bot.slack.fault('auth.test', { times: 2, status: 500 });
  const { body } = await bot.slack.command('U0ANA', 'C0SHIP', '/deploy web:v1 staging');
  expect(body).toMatchObject({ text: expect.stringContaining('Slack did not say in time') });
  bot.slack.fault('users.info', { times: 1, status: 500 });
  await bot.slack.command('U0BEN', 'C0SHIP', '/deploy web:v1 staging');
  expect(await bot.runs()).toEqual([]);
  await bot.slack.command('U0BEN', 'C0SHIP', '/deploy web:v1 staging');
  expect(await bot.runs()).toHaveLength(1);
});

test('what somebody is, is asked anew after five minutes', async () => {
  const bot = await start();
  await bot.slack.command('U0ANA', 'C0SHIP', '/deploy web:v1 staging');
  const ana = bot.slack.space.users.find((user) => user.id === 'U0ANA');
  if (ana) ana.guest = true;
  bot.wait();
  await bot.slack.command('U0ANA', 'C0SHIP', '/deploy web:v1 staging');
  expect(await bot.runs()).toHaveLength(1);
  expect(bot.told('U0ANA').at(-1)).toContain('you are a guest');
});
