import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownBlock } from '@slack/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { send } from '../../testbed/slack/delivery.ts';
import { ana, type Bed, ben, ship, startHttpBed } from './bolt-app.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await startHttpBed();
});
afterAll(async () => bed.stop());

const card: KnownBlock[] = [
  { type: 'section', text: { type: 'mrkdwn', text: 'Deploy *web*?' } },
  {
    type: 'actions',
    elements: [
      { type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, value: 'run1 d1' },
    ],
  },
];

describe('a slash command', () => {
  test('arrives signed, with mentions and channels escaped, and its answer is for the one who asked', async () => {
    const { slack, app } = bed;
    app.command('/echo', async ({ command, ack }) => {
      const { text, user_id, user_name, channel_name, team_id } = command;
      await ack({ text: JSON.stringify({ text, user_id, user_name, channel_name, team_id }) });
    });
    const { status, late } = await slack.command(ana, ship, '/echo ask @ben in #alerts about a<b & “c”');
    expect({ status, late }).toEqual({ status: 200, late: false });
    const answer = await slack.waitFor('the answer', ({ onlyFor, text }) => onlyFor === ana && text.startsWith('{'));
    expect(JSON.parse(answer.text)).toEqual({
      text: 'ask <@U0BEN|ben> in <#C0ALERTS|alerts> about a&lt;b &amp; “c”',
      user_id: ana,
      user_name: 'ana',
      channel_name: 'ship',
      team_id: 'T0SHIPYARD',
    });
    expect(slack.messages(ship)).toEqual([]);
    expect(slack.ephemerals(ben)).toEqual([]);
  });

  test('answered in the channel shows the command too', async () => {
    const { slack, app } = bed;
    app.command('/loud', async ({ ack }) => ack({ response_type: 'in_channel', text: 'heard' }));
    await slack.command(ana, ship, '/loud now');
    expect(slack.messages(ship).map(({ user, text }) => `${user}: ${text}`)).toEqual([
      'U0ANA: /loud now',
      'U0SHIPMATE: heard',
    ]);
  });

  test('nobody answers within three seconds, or at all', async () => {
    const { slack, app } = bed;
    app.command('/slow', async ({ ack }) => {
      await sleep(3_300);
      await ack();
    });
    expect(await slack.command(ben, ship, '/slow one')).toMatchObject({ late: true });
    const { url } = slack.signed({});
    slack.setTarget('http://127.0.0.1:9/slack/events');
    await slack.command(ben, ship, '/gone');
    slack.setTarget(url);
    expect(slack.ephemerals(ben).map(({ text }) => text)).toEqual([
      '/slow failed with the error "operation_timeout"',
      '/gone failed with the error "dispatch_failed"',
    ]);
  });

  test('signed with another secret, or long ago, is refused by Bolt', async () => {
    const { slack } = bed;
    const form = slack.commandForm(ana, ship, '/echo hi');
    const hourAgo = Math.floor(Date.now() / 1_000) - 3_600;
    expect((await send(slack.signed(form, { secret: 'guessed' }))).status).toBe(401);
    expect((await send(slack.signed(form, { seconds: hourAgo }))).status).toBe(401);
    expect((await send(slack.signed(form))).status).toBe(200);
  });
});

describe('a message with a button', () => {
  test('is posted, clicked and edited in place', async () => {
    const { slack, app } = bed;
    app.action('approve', async ({ ack, body, action, client }) => {
      await ack();
      if (body.type !== 'block_actions' || !body.message || !('value' in action)) return;
      const text = `approved by ${body.user.id}: ${action.value}, of “${body.message.text}”`;
      await client.chat.update({ channel: ship, ts: body.message.ts, text });
    });
    const { ts = '' } = await app.client.chat.postMessage({ channel: ship, text: 'Deploy web?', blocks: card });
    const posted = await slack.waitFor('the card', (message) => message.ts === ts);
    expect(posted.blocks[1]?.block_id).toMatch(/^[\w-]{4}$/);
    expect((await slack.click(ben, posted, 'Approve', { times: 2 })).map(({ status }) => status)).toEqual([200, 200]);
    const edited = await slack.waitFor('the edit', (message) => message.ts === ts && message.edited !== undefined);
    expect(edited.text).toBe('approved by U0BEN: run1 d1, of “Deploy web?”');
    expect(edited.blocks).toEqual([]);
    await expect(slack.click(ben, edited, 'Approve')).rejects.toThrow('nothing to click called “Approve”');
  });

  test('answers through its response_url five times, and then no more', async () => {
    const { slack, app } = bed;
    const outcomes: unknown[] = [];
    app.action('chatty', async ({ ack, respond }) => {
      await ack();
      await respond({ text: 'replaced', replace_original: true });
      for (let answer = 2; answer <= 6; answer += 1)
        outcomes.push(await respond({ text: `answer ${answer}`, replace_original: false }).catch(String));
    });
    const blocks = JSON.parse(JSON.stringify(card).replace('"approve"', '"chatty"'));
    const { ts } = await app.client.chat.postMessage({ channel: ship, text: 'original', blocks });
    const posted = await slack.waitFor('the message', (message) => message.ts === ts);
    await slack.click(ana, posted, 'chatty');
    await slack.waitFor('it is replaced', (message) => message.ts === ts && message.text === 'replaced');
    await expect.poll(() => outcomes.length).toBe(5);
    expect(String(outcomes.at(-1))).toContain('404');
    expect(slack.ephemerals(ana).filter(({ text }) => text.startsWith('answer'))).toHaveLength(4);
  });
});

describe('modals', () => {
  test('open once, within three seconds of the trigger; errors keep them open', async () => {
    const { slack, app } = bed;
    const problems: string[] = [];
    app.command('/form', async ({ ack, body, client }) => {
      await ack();
      const note = (thrown: { data?: { error?: string } }) => void problems.push(thrown.data?.error ?? String(thrown));
      const open = () =>
        client.views.open({
          trigger_id: body.trigger_id,
          view: {
            type: 'modal',
            callback_id: 'form',
            title: { type: 'plain_text', text: 'Scale' },
            submit: { type: 'plain_text', text: 'Scale it' },
            blocks: [
              {
                type: 'input',
                block_id: 'replicas',
                label: { type: 'plain_text', text: 'Replicas' },
                element: { type: 'number_input', action_id: 'replicas', is_decimal_allowed: false },
              },
            ],
          },
        });
      if (body.text === 'late') await sleep(3_100);
      await open().catch(note);
      if (body.text === 'twice') await open().catch(note);
    });
    app.view('form', async ({ ack, view }) => {
      const value = view.state.values.replicas?.replicas?.value;
      await ack(value === '-1' ? { response_action: 'errors', errors: { replicas: 'at least 0' } } : undefined);
    });
    await slack.command(ana, ship, '/form twice');
    await expect.poll(() => problems).toEqual(['exchanged_trigger_id']);
    const [open] = slack.space.views.values();
    const refused = await slack.submit(ana, open?.id ?? '', { replicas: '-1' });
    expect(refused.body).toEqual({ response_action: 'errors', errors: { replicas: 'at least 0' } });
    expect(slack.space.views.size).toBe(1);
    await slack.submit(ana, open?.id ?? '', { replicas: '3' });
    expect(slack.space.views.size).toBe(0);
    await slack.command(ana, ship, '/form late');
    await expect.poll(() => problems, { timeout: 5_000 }).toEqual(['exchanged_trigger_id', 'expired_trigger_id']);
  });
});

describe('mentions', () => {
  test('reach the app in threads, as often as Slack delivers them', async () => {
    const { slack, app } = bed;
    const heard: string[] = [];
    app.event(
      'app_mention',
      async ({ event, body }) => void heard.push(`${body.event_id} ${event.thread_ts} ${event.text}`),
    );
    await slack.say(ben, ship, '@shipmate hello @ana', { thread: '1.000001', times: 2 });
    await expect.poll(() => heard.length).toBe(2);
    expect(new Set(heard).size).toBe(1);
    expect(heard[0]).toMatch(/^Ev\S+ 1\.000001 <@U0SHIPMATE> hello <@U0ANA>$/);
    expect(await slack.say(ben, ship, 'just talking')).toEqual([]);
  });
});
