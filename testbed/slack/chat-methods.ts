import { type Answer, type Args, asJson, no, words } from './answers.ts';
import { teamOf } from './belonging.ts';
import { contentOf } from './message-content.ts';
import { badPictures } from './shared-files.ts';
import type { Methods } from './web-api.ts';
import { appId, botId, botUser, type Message, type Workspace } from './workspace.ts';

/** A message as the Web API and payloads show it. */
export function wireMessage(message: Message, space: Workspace) {
  const { ts, user, text, blocks, thread, edited, attachments, metadata } = message;
  return {
    type: 'message',
    user,
    ts,
    text,
    blocks,
    team: teamOf(space, user),
    ...(user === botUser && { bot_id: botId, app_id: appId }),
    ...(thread && { thread_ts: thread }),
    ...(edited && { edited: { user, ts: edited } }),
    ...(attachments && { attachments }),
    ...(metadata !== undefined && { metadata }),
  };
}

const isMember = (space: Workspace, channel: string) =>
  channel.startsWith('D') || space.channels.some(({ id }) => id === channel);

/** Channels may be named by id or by `#name`; a person's id is the conversation with them. */
function channelOf(space: Workspace, args: Args): string | undefined {
  const wanted = words(args, 'channel').replace(/^#/, '');
  if (space.users.some(({ id }) => id === wanted)) return `D${wanted.slice(1)}`;
  return space.channels.find(({ id, name }) => id === wanted || name === wanted)?.id;
}

/** What a message of this workspace shows, its files among it. */
function shownHere(space: Workspace, args: Args): ReturnType<typeof contentOf> {
  const read = contentOf(args);
  const bad = 'content' in read ? badPictures(space, read.content.blocks) : [];
  return bad.length > 0 ? { refused: no('invalid_blocks', bad) } : read;
}

function post(space: Workspace, args: Args, onlyFor?: string): Answer {
  const channel = channelOf(space, args);
  if (channel === undefined || !isMember(space, channel)) return no('channel_not_found');
  const read = shownHere(space, args);
  if ('refused' in read) return read.refused;
  const thread = words(args, 'thread_ts') || undefined;
  const ts = space.nextTs();
  const message: Message = {
    ts,
    channel,
    user: botUser,
    ...read.content,
    thread,
    ...(asJson(args.reply_broadcast) === true && { broadcast: true }),
    ...(onlyFor && { onlyFor }),
  };
  space.put(message);
  return onlyFor ? { ok: true, message_ts: ts } : { ok: true, channel, ts, message: wireMessage(message, space) };
}

/** The app's own message, as chat.update and chat.delete name it. */
function ownMessage(space: Workspace, args: Args, otherwise: string): Message | Answer {
  const message = space.messages.get(`${words(args, 'channel')}/${words(args, 'ts')}`);
  if (!message || message.onlyFor) return no('message_not_found');
  return message.user === botUser ? message : no(otherwise);
}

export const chatMethods: Methods = {
  'chat.postMessage': ({ space }, args) => post(space, args),
  'chat.postEphemeral': ({ space }, args) => {
    const user = words(args, 'user');
    return space.users.some(({ id }) => id === user) ? post(space, args, user) : no('user_not_in_channel');
  },
  'chat.update': ({ space }, args) => {
    const message = ownMessage(space, args, 'cant_update_message');
    if ('ok' in message) return message;
    const read = shownHere(space, args);
    if ('refused' in read) return read.refused;
    const updated = space.put({ ...message, ...read.content, edited: space.nextTs() });
    const { channel, ts, text } = updated;
    return { ok: true, channel, ts, text, message: wireMessage(updated, space) };
  },
  'chat.delete': ({ space }, args) => {
    const message = ownMessage(space, args, 'cant_delete_message');
    if ('ok' in message) return message;
    space.remove(message.channel, message.ts);
    return { ok: true, channel: message.channel, ts: message.ts };
  },
};
