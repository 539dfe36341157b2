import type { Button } from '@slack/types';
import { botUser, type Message, type OpenView, type Workspace } from './workspace.ts';

/** Payloads as Slack sends them: https://docs.slack.dev/reference/interaction-payloads */

const appId = 'A0SHIPMATE';
const verificationToken = 'deprecated';

function nameOf(space: Workspace, id: string): string {
  return space.users.find((user) => user.id === id)?.name ?? 'unknown';
}

/** With `should_escape`, mentions and channels reach a command as ids. */
function escaped(space: Workspace, text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(\w+)/g, (whole, name) => {
      const user = space.users.find((known) => known.name === name);
      return user ? `<@${user.id}|${name}>` : whole;
    })
    .replace(/(^|\s)#([\w-]+)/g, (whole, before, name) => {
      const channel = space.channels.find((known) => known.name === name);
      return channel ? `${before}<#${channel.id}|${name}>` : whole;
    });
}

export function commandForm(
  space: Workspace,
  from: { user: string; channel: string; line: string; trigger: string; responseUrl: string },
): Record<string, string> {
  const [command = '', ...rest] = from.line.trim().split(' ');
  return {
    token: verificationToken,
    team_id: space.teamId,
    team_domain: space.domain,
    channel_id: from.channel,
    channel_name: space.channels.find(({ id }) => id === from.channel)?.name ?? 'directmessage',
    user_id: from.user,
    user_name: nameOf(space, from.user),
    command,
    text: escaped(space, rest.join(' ')),
    api_app_id: appId,
    is_enterprise_install: 'false',
    response_url: from.responseUrl,
    trigger_id: from.trigger,
  };
}

/** A message's button, by its action_id or its words. */
export function buttonOf({ blocks }: Message, wanted: string): Button & { block_id: string } {
  for (const [index, block] of blocks.entries()) {
    if (block.type !== 'actions') continue;
    const found = block.elements.find(
      (element) => element.type === 'button' && (element.action_id === wanted || element.text.text === wanted),
    );
    if (found?.type === 'button') return { ...found, block_id: block.block_id ?? `b${index}` };
  }
  throw new Error(`the message has no button “${wanted}”`);
}

const person = (space: Workspace, id: string) => ({
  id,
  username: nameOf(space, id),
  name: nameOf(space, id),
  team_id: space.teamId,
});

export function blockActions(
  space: Workspace,
  from: { user: string; message: Message; button: ReturnType<typeof buttonOf>; trigger: string; responseUrl: string },
) {
  const { message, button } = from;
  return {
    type: 'block_actions',
    user: person(space, from.user),
    api_app_id: appId,
    token: verificationToken,
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: message.onlyFor !== undefined,
    },
    trigger_id: from.trigger,
    team: { id: space.teamId, domain: space.domain },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: message.channel, name: space.channels.find(({ id }) => id === message.channel)?.name ?? '' },
    message: {
      type: 'message',
      user: botUser,
      ts: message.ts,
      text: message.text,
      blocks: message.blocks,
      team: space.teamId,
    },
    state: { values: {} },
    response_url: from.responseUrl,
    actions: [{ ...button, confirm: undefined, action_ts: space.nextTs() }],
  };
}

/** What a person filled in, as the view's state: by the type of each input. */
function stateOf({ view }: OpenView, values: Record<string, string>) {
  const fields = view.blocks.flatMap((block) => {
    if (block.type !== 'input' || !('element' in block)) return [];
    const { element, block_id = '' } = block;
    const given = values[block_id];
    const value =
      element.type === 'static_select'
        ? {
            type: element.type,
            selected_option:
              given === undefined || given === '' ? null : { text: { type: 'plain_text', text: given }, value: given },
          }
        : { type: element.type, value: given === undefined || given === '' ? null : given };
    return [[block_id, { [element.action_id ?? '']: value }] as const];
  });
  return { values: Object.fromEntries(fields) };
}

export function viewSubmission(space: Workspace, user: string, open: OpenView, values: Record<string, string>) {
  return {
    type: 'view_submission',
    team: { id: space.teamId, domain: space.domain },
    user: person(space, user),
    api_app_id: appId,
    token: verificationToken,
    trigger_id: '',
    view: {
      ...open.view,
      id: open.id,
      team_id: space.teamId,
      hash: open.hash,
      app_id: appId,
      state: stateOf(open, values),
    },
    response_urls: [],
    is_enterprise_install: false,
    enterprise: null,
  };
}

export function mentionEvent(
  space: Workspace,
  from: { user: string; channel: string; words: string; thread?: string; id: string },
) {
  const ts = space.nextTs();
  return {
    type: 'event_callback',
    token: verificationToken,
    team_id: space.teamId,
    api_app_id: appId,
    event_id: from.id,
    event_time: Math.floor(Date.now() / 1_000),
    authorizations: [
      { enterprise_id: null, team_id: space.teamId, user_id: botUser, is_bot: true, is_enterprise_install: false },
    ],
    event: {
      type: 'app_mention',
      user: from.user,
      text: from.words.replace(/^@shipmate/i, `<@${botUser}>`),
      ts,
      channel: from.channel,
      event_ts: ts,
      ...(from.thread && { thread_ts: from.thread }),
    },
  };
}
