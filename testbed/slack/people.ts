import { randomUUID } from 'node:crypto';
import { checkInChannel, isLocal } from './belonging.ts';
import type { Delivered } from './delivery.ts';
import { actionOf } from './elements.ts';
import { blockActions, commandForm, encoded, mentionEvent, shortcut } from './payloads.ts';
import { attach, type NewFile } from './shared-files.ts';
import { showAck } from './show-ack.ts';
import type { Context } from './slack-server.ts';
import { viewOf } from './view-methods.ts';
import { viewClosed, viewSubmission } from './view-payloads.ts';
import { botUser, type Message, type OpenView, type Workspace } from './workspace.ts';

/** What people do in a workspace; each answers how the app took it. */
export type People = {
  /**
   * Types a slash command; its acknowledgement is shown as Slack shows it.
   * @throws Error for people of other workspaces, who lack the app's commands; `commandForm` makes what their own app would send
   */
  command(user: string, channel: string, line: string): Promise<Delivered>;
  /** The form that `command` would send, for requests of the test's own. */
  commandForm(user: string, channel: string, line: string): Record<string, string>;
  /**
   * Clicks a button by its action_id or its words, or chooses `value` from a menu; on the message as it was when the
   * test got hold of it, so that a stale click is one on an old message. `times` sends the same click again and again.
   */
  click(
    user: string,
    message: Message,
    wanted: string,
    options?: { times?: number; value?: string },
  ): Promise<Delivered[]>;
  /** Sends an open view's form, with values by block_id; it closes unless the app answers with errors. */
  submit(user: string, viewId: string, values: Record<string, string>): Promise<Delivered>;
  /** Closes an open view without sending it. */
  dismiss(user: string, viewId: string): Promise<void>;
  /** Uses a shortcut of the app, on a message or from anywhere. @throws Error for people of other workspaces */
  shortcut(user: string, callback: string, message?: Message): Promise<Delivered>;
  /** Says something in the channel; the app hears of it where it is mentioned, as often as `times` says. */
  say(
    user: string,
    channel: string,
    words: string,
    options?: { thread?: string; times?: number; files?: readonly NewFile[] },
  ): Promise<Delivered[]>;
  /** Says something that the app hears, in a thread if there is one. */
  mention(user: string, channel: string, words: string, thread?: string): Promise<Delivered>;
};

/** Takes a request to the app, over its Socket Mode connection where it has one; by HTTP as a form, or else as JSON. */
export type Deliver = (
  type: 'slash_commands' | 'interactive' | 'events_api',
  payload: unknown,
  form?: Record<string, string>,
) => Promise<Delivered>;

/** Commands and shortcuts are for those alone in whose workspace the app is: https://docs.slack.dev/apis/slack-connect */
function checkHasApp(space: Workspace, user: string): void {
  if (!isLocal(space, user)) throw new Error(`${user} is of another workspace, and has none of the app's commands`);
}

/** What the app answers to a form that was sent: https://docs.slack.dev/surfaces/modals#updating_response */
function afterSubmit(space: Workspace, open: OpenView, { status, body }: Delivered): void {
  if (status !== 200) return;
  const action =
    typeof body === 'object' && body !== null && 'response_action' in body ? body.response_action : 'clear';
  if (action === 'errors') return;
  const next = typeof body === 'object' && body !== null && 'view' in body ? viewOf(body.view) : undefined;
  if ((action === 'update' || action === 'push') && next && 'view' in next)
    space.showView({ ...open, view: next.view, hash: space.nextTs() });
  else space.closeView(open.id);
}

function viewsOf(
  { space }: Context,
  interact: (payload: unknown) => Promise<Delivered>,
): Pick<People, 'submit' | 'dismiss'> {
  const openView = (id: string) => {
    const open = space.views.get(id);
    if (!open) throw new Error(`no view ${id} is open`);
    return open;
  };
  return {
    submit: async (user, viewId, values) => {
      const open = openView(viewId);
      const delivered = await interact(viewSubmission(space, user, open, values));
      afterSubmit(space, open, delivered);
      return delivered;
    },
    dismiss: async (user, viewId) => {
      const open = openView(viewId);
      space.closeView(viewId);
      if ('notify_on_close' in open.view && open.view.notify_on_close) await interact(viewClosed(space, user, open));
    },
  };
}

/** People's doings, made into Slack's requests. */
export function peopleOf(server: Context, deliver: Deliver): People {
  const { space, triggers, responses } = server;
  const interact = (payload: unknown) => deliver('interactive', payload, { payload: JSON.stringify(payload) });
  const responseUrl = (user: string, channel: string, original?: Message) =>
    `${server.base()}/respond/${responses.make({ user, channel, ...(original && { original }) })}`;
  const formOf: People['commandForm'] = (user, channel, line) =>
    commandForm(space, { user, channel, line, trigger: triggers.make(user), responseUrl: responseUrl(user, channel) });
  const say: People['say'] = async (user, channel, words, { thread, times = 1, files } = {}) => {
    checkInChannel(space, user, channel);
    const text = encoded(space, words, false);
    const attached = files && { files: files.map((file) => attach(space, file)) };
    const message = space.put({ ts: space.nextTs(), channel, user, text, blocks: [], thread, ...attached });
    if (!text.includes(`<@${botUser}>`)) return [];
    const event = mentionEvent(space, message, { id: `Ev${randomUUID()}`, base: server.base() });
    return await Promise.all(Array.from({ length: times }, () => deliver('events_api', event)));
  };
  return {
    ...viewsOf(server, interact),
    commandForm: formOf,
    command: async (user, channel, line) => {
      checkHasApp(space, user);
      const form = formOf(user, channel, line);
      const delivered = await deliver('slash_commands', form, form);
      showAck(space, { user, channel }, line, delivered);
      return delivered;
    },
    shortcut: async (user, callback, message) => {
      checkHasApp(space, user);
      const url = responseUrl(user, message?.channel ?? '');
      const from = { user, callback, trigger: triggers.make(user), responseUrl: url, ...(message && { message }) };
      return await interact(shortcut(space, from));
    },
    click: async (user, message, wanted, { times = 1, value } = {}) => {
      checkInChannel(space, user, message.channel);
      const action = actionOf(message, wanted, value);
      const trigger = triggers.make(user);
      const url = responseUrl(user, message.channel, message);
      const payload = blockActions(space, { user, message, action, trigger, responseUrl: url });
      return await Promise.all(Array.from({ length: times }, () => interact(payload)));
    },
    say,
    mention: async (user, channel, words, thread) => {
      const [delivered] = await say(user, channel, words, thread === undefined ? {} : { thread });
      if (!delivered) throw new Error(`“${words}” does not mention the app`);
      return delivered;
    },
  };
}
