import { actsFrom, isExternal, teamOf } from './belonging.ts';
import { wireMessage } from './chat-methods.ts';
import type { actionOf } from './elements.ts';
import { eventFile } from './shared-files.ts';
import { appId, botUser, type Message, type Workspace } from './workspace.ts';

/** Payloads as Slack sends them: https://docs.slack.dev/reference/interaction-payloads */

const verificationToken = 'deprecated';
const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function nameOf(space: Workspace, id: string): string {
  return space.users.find((user) => user.id === id)?.name ?? 'unknown';
}

/** What stands before `.slack.com`. */
const domainOf = (space: Workspace, team: string) =>
  team === space.teamId ? space.domain : team.slice('T0'.length).toLowerCase();

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
    team_id: actsFrom(space, from.user),
    team_domain: domainOf(space, actsFrom(space, from.user)),
    ...(space.enterprise && { enterprise_id: space.enterprise.id, enterprise_name: space.enterprise.name }),
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
  team_id: teamOf(space, id),
});

/** What every interaction bears; `team` is the workspace that Slack names for it. */
export const sender = (space: Workspace, user: string, team: string) => ({
  team: {
    id: team,
    domain: domainOf(space, team),
    ...(space.enterprise && { enterprise_id: space.enterprise.id, enterprise_name: space.enterprise.name }),
  },
  user: person(space, user),
  api_app_id: appId,
  token: verificationToken,
  enterprise: space.enterprise ?? null,
  is_enterprise_install: false,
});

export function blockActions(
  space: Workspace,
  from: { user: string; message: Message; action: ReturnType<typeof actionOf>; trigger: string; responseUrl: string },
) {
  const { message, action } = from;
  return {
    type: 'block_actions',
    // Where the app is installed, also for the clicks of outsiders: https://github.com/slackapi/java-slack-sdk/issues/1041
    ...sender(space, from.user, space.teamId),
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
    ...(message.onlyFor === undefined && { message: wireMessage(message, space) }),
    state: { values: {} },
    response_url: from.responseUrl,
    actions: [{ ...action, action_ts: space.nextTs() }],
  };
}

/** A global shortcut, or with a message one on it. */
export function shortcut(
  space: Workspace,
  from: { user: string; callback: string; trigger: string; responseUrl: string; message?: Message },
) {
  const { message } = from;
  return {
    type: message ? 'message_action' : 'shortcut',
    ...sender(space, from.user, actsFrom(space, from.user)),
    callback_id: from.callback,
    trigger_id: from.trigger,
    action_ts: space.nextTs(),
    ...(message && {
      message_ts: message.ts,
      channel: { id: message.channel, name: channelName(space, message.channel) },
      message: wireMessage(message, space),
      response_url: from.responseUrl,
    }),
  };
}

export function mentionEvent(
  space: Workspace,
  { ts, user, channel, text, thread, files }: Message,
  { id, base }: { id: string; base: string },
) {
  const authors = actsFrom(space, user);
  const enterprise_id = space.enterprise?.id ?? null;
  const external = isExternal(space, channel);
  return {
    type: 'event_callback',
    token: verificationToken,
    // Where the message comes from; the installation that it is for stands in `authorizations`.
    team_id: authors,
    ...(space.enterprise && { enterprise_id }),
    context_team_id: space.teamId,
    context_enterprise_id: enterprise_id,
    api_app_id: appId,
    event_id: id,
    event_time: Math.floor(Date.now() / 1_000),
    is_ext_shared_channel: external,
    authorizations: [
      { enterprise_id, team_id: space.teamId, user_id: botUser, is_bot: true, is_enterprise_install: false },
    ],
    event: {
      type: 'app_mention',
      user,
      text,
      ts,
      channel,
      team: teamOf(space, user),
      ...(authors !== space.teamId && { user_team: authors, source_team: authors }),
      event_ts: ts,
      ...(thread && { thread_ts: thread }),
      ...(files && { files: files.map((file) => eventFile(space, base, file, external)), upload: true }),
    },
  };
}
