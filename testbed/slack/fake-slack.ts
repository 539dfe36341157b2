import { randomBytes, randomUUID } from 'node:crypto';
import { type Delivered, type SignedRequest, send, sendEnvelope, sign } from './delivery.ts';
import type { Faults } from './faults.ts';
import { blockActions, buttonOf, commandForm, mentionEvent, viewSubmission } from './payloads.ts';
import { showAck } from './show-ack.ts';
import { type Context, type FakeSlackOptions, startSlackServer } from './slack-server.ts';
import type { Message, Workspace } from './workspace.ts';

export type FakeSlack = {
  /** For SLACK_API_URL. */
  apiUrl: string;
  space: Workspace;
  /** Every call of the Web API, oldest first. */
  calls: Context['calls'];
  fault: Faults['add'];
  /** Where the app takes its requests. */
  setTarget(requestUrl: string): void;
  command(user: string, channel: string, line: string): Promise<Delivered>;
  /** Clicks a button by its action_id or its words; `times` sends the same click again and again. */
  click(user: string, message: Message, button: string, options?: { times?: number }): Promise<Delivered[]>;
  submit(user: string, viewId: string, values: Record<string, string>): Promise<Delivered>;
  mention(user: string, channel: string, words: string, thread?: string): Promise<Delivered>;
  /** A signed request that a test may keep, change or send twice. */
  signed(form: Record<string, string>, change?: { secret?: string; seconds?: number }): SignedRequest;
  commandForm(user: string, channel: string, line: string): Record<string, string>;
  messages(channel: string): Message[];
  thread(message: Message): Message[];
  ephemerals(user: string): Message[];
  /** The first message, there or still to come, that fits. */
  waitFor(what: string, fits: (message: Message) => boolean, ms?: number): Promise<Message>;
  close(): Promise<void>;
};

/** Watches the workspace until a message fits, or says what there was instead. */
function waitFor(space: Workspace, what: string, fits: (message: Message) => boolean, ms: number): Promise<Message> {
  const all = () => [...space.messages.values()];
  return new Promise((resolve, reject) => {
    const there = all().find(fits);
    if (there) return resolve(there);
    const stop = space.listen((event) => {
      if (event.kind !== 'message' || !fits(event.message)) return;
      clearTimeout(timer);
      stop();
      resolve(event.message);
    });
    const timer = setTimeout(() => {
      stop();
      const seen = all().map(({ text: words, onlyFor }) => `${onlyFor ? `(to ${onlyFor}) ` : ''}${words}`);
      reject(new Error(`no message after ${ms} ms: ${what}. There are:\n${seen.join('\n')}`));
    }, ms);
  });
}

type Server = Awaited<ReturnType<typeof startSlackServer>>;

/** Takes a request to the app, over its Socket Mode connection where it has one. */
type Deliver = (
  type: 'slash_commands' | 'interactive' | 'events_api',
  payload: unknown,
  request: () => SignedRequest,
) => Promise<Delivered>;

function peopleOf(
  server: Server,
  deliver: Deliver,
  signed: FakeSlack['signed'],
  signedJson: (payload: unknown) => SignedRequest,
) {
  const { space } = server;
  const responseUrl = (user: string, channel: string) => {
    const id = randomBytes(8).toString('hex');
    server.responses.set(id, { user, channel, left: 5, until: Date.now() + 30 * 60_000 });
    return `${server.base}/respond/${id}`;
  };
  const formOf = (user: string, channel: string, line: string) =>
    commandForm(space, {
      user,
      channel,
      line,
      trigger: server.triggers.make(user),
      responseUrl: responseUrl(user, channel),
    });
  const people: Pick<FakeSlack, 'command' | 'click' | 'submit' | 'mention' | 'commandForm'> = {
    commandForm: formOf,
    command: async (user, channel, line) => {
      const form = formOf(user, channel, line);
      const delivered = await deliver('slash_commands', form, () => signed(form));
      showAck(space, { user, channel }, line, delivered);
      return delivered;
    },
    click: async (user, message, wanted, { times = 1 } = {}) => {
      const button = buttonOf(message, wanted);
      const payload = blockActions(space, {
        user,
        message,
        button,
        trigger: server.triggers.make(user),
        responseUrl: responseUrl(user, message.channel),
      });
      return await Promise.all(
        Array.from({ length: times }, () =>
          deliver('interactive', payload, () => signed({ payload: JSON.stringify(payload) })),
        ),
      );
    },
    submit: async (user, viewId, values) => {
      const open = space.views.get(viewId);
      if (!open) throw new Error(`no view ${viewId} is open`);
      const payload = viewSubmission(space, user, open, values);
      const delivered = await deliver('interactive', payload, () => signed({ payload: JSON.stringify(payload) }));
      const refused =
        typeof delivered.body === 'object' && delivered.body !== null && 'response_action' in delivered.body;
      if (delivered.status === 200 && !refused) space.closeView(viewId);
      return delivered;
    },
    mention: async (user, channel, words, thread) => {
      space.put({ ts: space.nextTs(), channel, user, text: words, blocks: [], thread });
      const payload = mentionEvent(space, { user, channel, words, thread, id: `Ev${randomUUID()}` });
      return await deliver('events_api', payload, () => signedJson(payload));
    },
  };
  return people;
}

/** Stands in for Slack's servers: the Web API for the app, and everything that people do in a workspace for the test. */
export async function startFakeSlack(options: FakeSlackOptions): Promise<FakeSlack> {
  const server = await startSlackServer(options);
  const { space } = server;
  let target = options.requestUrl ?? '';
  const signed: FakeSlack['signed'] = (form, change = {}) => {
    const body = new URLSearchParams(form).toString();
    const signature = sign(change.secret ?? options.signingSecret, body, change.seconds);
    return { url: target, body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...signature } };
  };
  const signedJson = (payload: unknown): SignedRequest => {
    const body = JSON.stringify(payload);
    return { url: target, body, headers: { 'content-type': 'application/json', ...sign(options.signingSecret, body) } };
  };
  const deliver: Deliver = (type, payload, request) => {
    const socket = server.socket();
    return socket ? sendEnvelope(socket, type, payload) : send(request());
  };
  const all = () => [...space.messages.values()];
  return {
    ...peopleOf(server, deliver, signed, signedJson),
    apiUrl: `${server.base}/api/`,
    space,
    calls: server.calls,
    fault: server.faults.add,
    setTarget: (requestUrl) => {
      target = requestUrl;
    },
    signed,
    messages: (channel) =>
      all().filter((message) => message.channel === channel && !message.thread && !message.onlyFor),
    thread: (message) => all().filter(({ thread }) => thread === message.ts),
    ephemerals: (user) => all().filter(({ onlyFor }) => onlyFor === user),
    waitFor: (what, fits, ms = 10_000) => waitFor(space, what, fits, ms),
    close: server.close,
  };
}
