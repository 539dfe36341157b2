import type { Args } from './answers.ts';
import { wireMessage } from './chat-methods.ts';
import type { actionOf } from './elements.ts';
import { eventFile } from './shared-files.ts';
import { appId, botUser, type Message, type OpenView, type Workspace } from './workspace.ts';

/** Payloads as Slack sends them: https://docs.slack.dev/reference/interaction-payloads */

const verificationToken = 'deprecated';
const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function nameOf(space: Workspace, id: string): string {
  return space.users.find((user) => user.id === id)?.name ?? 'unknown';
}

const channelName = (space: Workspace, id: string) =>
  space.channels.find((channel) => channel.id === id)?.name ?? 'directmessage';

/** What people type, as it reaches apps: mentions as ids, `& < >` escaped. `labelled` is the form of commands with `should_escape`. */
export function encoded(space: Workspace, text: string, labelled: boolean): string {
  const label = (name: string) => (labelled ? `|${name}` : '');
  return text
    .replace(/[&<>]/g, (sign) => escapes[sign] ?? sign)
    .replace(/(^|\s)@([\w-]+)/g, (whole, before, name) => {
      const user = space.users.find((known) => known.name === name.toLowerCase());
      return user ? `${before}<@${user.id}${label(name)}>` : whole;
    })
    .replace(/(^|\s)#([\w-]+)/g, (whole, before, name) => {
      const channel = space.channels.find((known) => known.name === name);
      return channel ? `${before}<#${channel.id}${label(name)}>` : whole;
    });
}

export function commandForm(
  space: Workspace,
  from: { user: string; channel: string; line: string; trigger: string; responseUrl: string },
): Record<string, string> {
  const [, command = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(from.line.trim()) ?? [];
  return {
    token: verificationToken,
    team_id: space.teamId,
    team_domain: space.domain,
    channel_id: from.channel,
    channel_name: channelName(space, from.channel),
    user_id: from.user,
    user_name: nameOf(space, from.user),
    command,
    text: encoded(space, rest, true),
    api_app_id: appId,
    is_enterprise_install: 'false',
    response_url: from.responseUrl,
    trigger_id: from.trigger,
  };
}

const person = (space: Workspace, id: string) => ({
  id,
  username: nameOf(space, id),
  name: nameOf(space, id),
  team_id: space.users.find((user) => user.id === id)?.team ?? space.teamId,
});

const sender = (space: Workspace, user: string) => ({
  team: { id: space.teamId, domain: space.domain },
  user: person(space, user),
  api_app_id: appId,
  token: verificationToken,
  enterprise: null,
  is_enterprise_install: false,
});

export function blockActions(
  space: Workspace,
  from: { user: string; message: Message; action: ReturnType<typeof actionOf>; trigger: string; responseUrl: string },
) {
  const { message, action } = from;
  return {
    type: 'block_actions',
    ...sender(space, from.user),
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: message.onlyFor !== undefined,
      ...(message.thread && { thread_ts: message.thread }),
    },
    trigger_id: from.trigger,
    channel: { id: message.channel, name: channelName(space, message.channel) },
    // Of an ephemeral message, Slack sends the container alone.
    ...(message.onlyFor === undefined && { message: wireMessage(message, space.teamId) }),
    state: { values: {} },
    response_url: from.responseUrl,
    actions: [{ ...action, action_ts: space.nextTs() }],
  };
}

type Option = { text: { type: string; text: string }; value?: string };
type Field = { type: string; options?: Option[]; option_groups?: { options: Option[] }[] };

const plain = (text: string): Option['text'] => ({ type: 'plain_text', text });

/** What a person filled in, worded by the type of the input. Several choices come separated by commas. */
function filledIn(element: Field, given: string): Record<string, unknown> {
  const { type } = element;
  const options = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
  const option = (value: string) => options.find((known) => known.value === value) ?? { text: plain(value), value };
  const many = given === '' ? [] : given.split(',');
  const one = given === '' ? null : given;
  switch (type) {
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
      return { type, selected_option: one === null ? null : option(one) };
    case 'multi_static_select':
    case 'checkboxes':
      return { type, selected_options: many.map(option) };
    case 'users_select':
      return { type, selected_user: one };
    case 'conversations_select':
      return { type, selected_conversation: one };
    case 'channels_select':
      return { type, selected_channel: one };
    case 'datepicker':
      return { type, selected_date: one };
    case 'timepicker':
      return { type, selected_time: one };
    default:
      return { type, value: one };
  }
}

function stateOf({ view }: OpenView, values: Record<string, string>) {
  const fields = view.blocks.flatMap((block) => {
    if (block.type !== 'input' || !('element' in block)) return [];
    const { element, block_id = '' } = block;
    return [[block_id, { [element.action_id ?? '']: filledIn(element, values[block_id] ?? '') }] as const];
  });
  return { values: Object.fromEntries(fields) };
}

const viewPayload = (space: Workspace, { view, id, hash }: OpenView, values: Record<string, string>) => ({
  ...view,
  id,
  team_id: space.teamId,
  hash,
  app_id: appId,
  state: stateOf({ view, id, hash, user: '' }, values),
});

export function viewSubmission(space: Workspace, user: string, open: OpenView, values: Record<string, string>): Args {
  return {
    type: 'view_submission',
    ...sender(space, user),
    trigger_id: '',
    view: viewPayload(space, open, values),
    response_urls: [],
  };
}

export function viewClosed(space: Workspace, user: string, open: OpenView): Args {
  return { type: 'view_closed', ...sender(space, user), view: viewPayload(space, open, {}), is_cleared: false };
}

export function mentionEvent(
  space: Workspace,
  { ts, user, channel, text, thread, files }: Message,
  { id, base }: { id: string; base: string },
) {
  return {
    type: 'event_callback',
    token: verificationToken,
    team_id: space.teamId,
    api_app_id: appId,
    event_id: id,
    event_time: Math.floor(Date.now() / 1_000),
    authorizations: [
      { enterprise_id: null, team_id: space.teamId, user_id: botUser, is_bot: true, is_enterprise_install: false },
    ],
    event: {
      type: 'app_mention',
      user,
      text,
      ts,
      channel,
      team: space.teamId,
      event_ts: ts,
      ...(thread && { thread_ts: thread }),
      ...(files && { files: files.map((file) => eventFile(space, base, file)), upload: true }),
    },
  };
}
