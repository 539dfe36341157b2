import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { KnownBlock } from '@slack/types';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createSlackClient } from '../../handlers/slack/client.ts';
import { startFakeSlack } from '../../testbed/slack/fake-slack.ts';
import type { Message } from '../../testbed/slack/workspace.ts';

const [ours, theirs, sister] = ['T0SHIPYARD', 'T0SUPPLIER', 'T0HARBOUR'];
const go: KnownBlock[] = [
  { type: 'actions', elements: [{ type: 'button', action_id: 'go', text: { type: 'plain_text', text: 'Go' } }] },
];

/** A fake Slack, and what it sends to an app that takes everything. */
async function start(grid = false) {
  const token = 'xoxb-1';
  const slack = await startFakeSlack({ signingSecret: 'x', botToken: token, grid });
  const sent: unknown[] = [];
  const app = createServer(async (request, response) => {
    const body = await text(request);
    const form = Object.fromEntries(new URLSearchParams(body));
    const json = form.payload ?? body;
    sent.push(json.startsWith('{') ? JSON.parse(json) : form);
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const address = app.address();
  slack.setTarget(`http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}/`);
  onTestFinished(async () => {
    app.closeAllConnections();
    app.close();
    await slack.close();
  });
  const client = createSlackClient({ token, apiUrl: slack.apiUrl });
  const button = async (channel: string): Promise<Message> => {
    const { ts } = await client.chat.postMessage({ channel, text: 'go?', blocks: go });
    return await slack.waitFor('the button', (message) => message.ts === ts);
  };
  const openForm = async (user: string): Promise<string> => {
    await slack.click(user, await button(user === 'U0EVE' ? 'C0DOCK' : 'C0SHIP'), 'go');
    const { trigger_id } = z.object({ trigger_id: z.string() }).parse(sent.at(-1));
    const view = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'Why?' }, blocks: [] };
    const opened = await client.views.open({ trigger_id, view });
    return opened.view?.id ?? '';
  };
  return { slack, client, sent, button, openForm };
}

describe('a colleague and a guest', () => {
  test.each(['U0BEN', 'U0GUS'])('%s: every team that Slack names is ours', async (user) => {
    const { slack, sent, button, openForm } = await start();
    await slack.click(user, await button('C0SHIP'), 'go');
    await slack.submit(user, await openForm(user), {});
    await slack.say(user, 'C0SHIP', '@shipmate status');
    await slack.command(user, 'C0SHIP', '/ship status');
    await slack.shortcut(user, 'explain', await button('C0SHIP'));
    const named = [...JSON.stringify(sent).matchAll(/"(T0\w+)"/g)].map(([, team]) => team);
    expect(new Set(named)).toEqual(new Set([ours]));
    expect(sent).toContainEqual(expect.objectContaining({ is_ext_shared_channel: false, context_team_id: ours }));
  });
});

describe('a member of another organization, in a channel shared by Slack Connect', () => {
  test('a click names our team beside theirs', async () => {
    const { slack, sent, button } = await start();
    await slack.click('U0EVE', await button('C0DOCK'), 'go');
    expect(sent.at(-1)).toMatchObject({ team: { id: ours }, user: { team_id: theirs }, enterprise: null });
  });

  test('a form names their team, and ours where the app is installed', async () => {
    const { slack, sent, openForm } = await start();
    await slack.submit('U0EVE', await openForm('U0EVE'), {});
    expect(sent.at(-1)).toMatchObject({
      team: { id: theirs },
      user: { team_id: theirs },
      view: { team_id: theirs, app_installed_team_id: ours },
    });
  });

  test('a mention names their team, and ours in its authorizations; its files say nothing but their id', async () => {
    const { slack, sent } = await start();
    await slack.say('U0EVE', 'C0DOCK', '@shipmate status', { files: [{ name: 'a.yaml', content: 'a: 1' }] });
    expect(sent.at(-1)).toMatchObject({
      team_id: theirs,
      context_team_id: ours,
      is_ext_shared_channel: true,
      authorizations: [{ team_id: ours, enterprise_id: null }],
      event: { team: theirs, user_team: theirs, source_team: theirs, files: [{ file_access: 'check_file_info' }] },
    });
  });

  test('has no command and no shortcut of the app, and is in no other channel', async () => {
    const { slack, button } = await start();
    await expect(slack.command('U0EVE', 'C0DOCK', '/ship status')).rejects.toThrow('another workspace');
    await expect(slack.shortcut('U0EVE', 'explain')).rejects.toThrow('another workspace');
    await expect(slack.click('U0EVE', await button('C0SHIP'), 'go')).rejects.toThrow('#ship is not shared with');
    await expect(slack.say('U0SAM', 'C0DOCK', '@shipmate hi')).rejects.toThrow('#dock is not shared with');
  });

  test('is no stranger: that is who shares no channel; neither is listed', async () => {
    const { client } = await start();
    const info = async (user: string) => (await client.users.info({ user })).user;
    expect(await info('U0EVE')).toMatchObject({ team_id: theirs, is_stranger: false });
    expect(await info('U0EVE')).not.toHaveProperty('is_restricted');
    expect(await info('U0SAM')).toMatchObject({ team_id: 'T0ELSEWHERE', is_stranger: true });
    const listed = ((await client.users.list({})).members ?? []).map(({ id }) => id);
    expect(listed).toContain('U0BEN');
    expect(listed).not.toContain('U0EVE');
  });
});

describe('on Enterprise Grid', () => {
  test('auth.test names the organization, and so does everything that is sent', async () => {
    const { slack, client, sent, button } = await start(true);
    expect(await client.auth.test()).toMatchObject({ team_id: ours, enterprise_id: 'E0FLEET' });
    await slack.click('U0BEN', await button('C0SHIP'), 'go');
    expect(sent.at(-1)).toMatchObject({ enterprise: { id: 'E0FLEET' }, team: { enterprise_id: 'E0FLEET' } });
    await slack.command('U0BEN', 'C0SHIP', '/ship status');
    expect(sent.at(-1)).toMatchObject({ team_id: ours, enterprise_id: 'E0FLEET' });
    await slack.say('U0BEN', 'C0SHIP', '@shipmate status');
    expect(sent.at(-1)).toMatchObject({ authorizations: [{ team_id: ours, enterprise_id: 'E0FLEET' }] });
  });

  test('a colleague may have another workspace as their first: the list of all is in enterprise_user', async () => {
    const { slack, client, sent, button } = await start(true);
    await slack.click('U0DUO', await button('C0SHIP'), 'go');
    expect(sent.at(-1)).toMatchObject({ team: { id: ours }, user: { team_id: sister } });
    const { user } = await client.users.info({ user: 'U0DUO' });
    expect(user).toMatchObject({
      team_id: sister,
      enterprise_user: { enterprise_id: 'E0FLEET', teams: [sister, ours] },
    });
    expect((await client.users.info({ user: 'U0BEN' })).user?.enterprise_user?.teams).toEqual([ours]);
  });

  test('a member of another workspace of the organization clicks and mentions where a channel is in both', async () => {
    const { slack, client, sent, button } = await start(true);
    await slack.click('U0ORG', await button('C0FLEET'), 'go');
    expect(sent.at(-1)).toMatchObject({ team: { id: ours }, user: { team_id: sister } });
    await slack.say('U0ORG', 'C0FLEET', '@shipmate status');
    expect(sent.at(-1)).toMatchObject({ team_id: sister, is_ext_shared_channel: false, event: { user_team: sister } });
    expect((await client.users.info({ user: 'U0ORG' })).user?.enterprise_user?.teams).toEqual([sister]);
    const { channel } = await client.conversations.info({ channel: 'C0FLEET' });
    expect(channel).toMatchObject({ is_org_shared: true, is_ext_shared: false });
  });
});
