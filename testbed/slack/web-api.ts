import { randomBytes } from 'node:crypto';
import type { KnownBlock, View } from '@slack/types';
import { z } from 'zod';
import { checkBlocks } from './check-blocks.ts';
import { botUser, type Message, type User, type Workspace } from './workspace.ts';

/** Arguments as they arrive: forms bear JSON in strings, JSON bodies bear it as it is. */
export type Args = Record<string, unknown>;
export type Answer =
  | { ok: true; [field: string]: unknown }
  | { ok: false; error: string; response_metadata?: { messages: string[] } };

const asJson = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};
const words = (args: Args, name: string): string => (typeof args[name] === 'string' ? args[name] : '');
const no = (error: string, messages?: string[]): Answer => ({
  ok: false,
  error,
  ...(messages && { response_metadata: { messages } }),
});

/** Trigger ids live three seconds and open one view. */
export type Triggers = {
  make(user: string): string;
  use(id: string): { user: string } | 'expired_trigger_id' | 'exchanged_trigger_id' | 'invalid_trigger_id';
};

export function createTriggers(): Triggers {
  const known = new Map<string, { user: string; until: number; used: boolean }>();
  return {
    make: (user) => {
      const id = `${Date.now()}.${randomBytes(8).toString('hex')}`;
      known.set(id, { user, until: Date.now() + 3_000, used: false });
      return id;
    },
    use: (id) => {
      const trigger = known.get(id);
      if (!trigger) return 'invalid_trigger_id';
      if (trigger.used) return 'exchanged_trigger_id';
      if (Date.now() > trigger.until) return 'expired_trigger_id';
      trigger.used = true;
      return { user: trigger.user };
    },
  };
}

const userObject = (user: User, team: string) => ({
  id: user.id,
  team_id: team,
  name: user.name,
  real_name: user.realName,
  deleted: false,
  is_bot: user.bot === true,
  is_restricted: user.guest === true,
  is_ultra_restricted: false,
  profile: { real_name: user.realName, display_name: user.name },
});

type Content = { text: string; blocks: KnownBlock[] } | Answer;

function contentOf(args: Args): Content {
  const blocks = asJson(args.blocks) ?? [];
  const problems = checkBlocks('message', blocks);
  if (problems.length > 0) return no('invalid_blocks', problems);
  const text = words(args, 'text');
  if (text === '' && Array.isArray(blocks) && blocks.length === 0) return no('no_text');
  // checkBlocks has seen that they are blocks.
  return { text, blocks: blocks as KnownBlock[] };
}

function post(space: Workspace, args: Args, onlyFor?: string): Answer {
  const channel = words(args, 'channel');
  if (!space.channels.some(({ id }) => id === channel)) return no('channel_not_found');
  const content = contentOf(args);
  if ('ok' in content) return content;
  const thread = words(args, 'thread_ts') || undefined;
  const ts = space.nextTs();
  const broadcast = asJson(args.reply_broadcast) === true;
  const message: Message = {
    ts,
    channel,
    user: botUser,
    ...content,
    thread,
    ...(broadcast && { broadcast }),
    ...(onlyFor && { onlyFor }),
  };
  space.put(message);
  return onlyFor ? { ok: true, message_ts: ts } : { ok: true, channel, ts, message: { ...content, ts, user: botUser } };
}

function update(space: Workspace, args: Args): Answer {
  const message = space.messages.get(`${words(args, 'channel')}/${words(args, 'ts')}`);
  if (!message) return no('message_not_found');
  if (message.user !== botUser || message.onlyFor) return no('cant_update_message');
  const content = contentOf(args);
  if ('ok' in content) return content;
  space.put({ ...message, ...content, edited: space.nextTs() });
  return { ok: true, channel: message.channel, ts: message.ts, text: content.text };
}

const ViewForm = z.looseObject({ type: z.enum(['modal', 'home']), blocks: z.array(z.unknown()) });

function openView(space: Workspace, triggers: Triggers, args: Args): Answer {
  const view = asJson(args.view);
  const form = ViewForm.safeParse(view);
  if (!form.success) return no('invalid_arguments', ['[ERROR] view is not a view']);
  const problems = checkBlocks('modal', form.data.blocks);
  if (problems.length > 0) return no('invalid_arguments', problems);
  const trigger = triggers.use(words(args, 'trigger_id'));
  if (typeof trigger === 'string') return no(trigger);
  const id = `V${randomBytes(5).toString('hex').toUpperCase()}`;
  const open = { id, user: trigger.user, hash: space.nextTs(), view: view as View }; // ViewForm and checkBlocks have seen to it
  space.showView(open);
  return { ok: true, view: { ...open.view, id, hash: open.hash } };
}

/** Does one call of the Web API. */
export function callMethod(space: Workspace, triggers: Triggers, method: string, args: Args): Answer {
  switch (method) {
    case 'auth.test':
      return {
        ok: true,
        url: `https://${space.domain}.slack.com/`,
        team: space.domain,
        team_id: space.teamId,
        user: 'shipmate',
        user_id: botUser,
        bot_id: 'B0SHIPMATE',
      };
    case 'chat.postMessage':
      return post(space, args);
    case 'chat.postEphemeral': {
      const user = words(args, 'user');
      return space.users.some(({ id }) => id === user) ? post(space, args, user) : no('user_not_in_channel');
    }
    case 'chat.update':
      return update(space, args);
    case 'chat.delete':
      space.remove(words(args, 'channel'), words(args, 'ts'));
      return { ok: true };
    case 'views.open':
      return openView(space, triggers, args);
    case 'users.info': {
      const user = space.users.find(({ id }) => id === words(args, 'user'));
      return user ? { ok: true, user: userObject(user, space.teamId) } : no('user_not_found');
    }
    case 'conversations.list':
      return { ok: true, channels: space.channels.map(({ id, name }) => ({ id, name, is_channel: true })) };
    default:
      return no('unknown_method');
  }
}
