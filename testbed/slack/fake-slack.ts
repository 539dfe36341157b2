import { type SignedRequest, send, sendEnvelope, sign } from './delivery.ts';
import type { Faults } from './faults.ts';
import { type Deliver, type People, peopleOf } from './people.ts';
import type { RateLimits } from './rate-limits.ts';
import { type Call, type FakeSlackOptions, startSlackServer } from './slack-server.ts';
import type { Sockets } from './sockets.ts';
import type { Message, Workspace } from './workspace.ts';

export type FakeSlack = People & {
  /** For SLACK_API_URL. */
  apiUrl: string;
  /** What Slack remembers: people, channels, messages, views; `space.listen` hears every change. */
  space: Workspace;
  /** Every call of the Web API, oldest first. */
  calls: Call[];
  /** Makes a method fail, the next few times. */
  fault: Faults['add'];
  /** Switches a method's rate limit on. */
  limit: RateLimits['set'];
  /** Ends the Socket Mode connections as Slack does; the app is to open new ones. */
  disconnect: Sockets['disconnect'];
  /** Where the app takes its requests. */
  setTarget(requestUrl: string): void;
  /** A signed request that a test may keep, change or send twice, with `send` of delivery.ts. */
  signed(form: Record<string, string>, change?: { secret?: string; seconds?: number }): SignedRequest;
  /** The same for an event, whose body is JSON. */
  signedJson(body: string): SignedRequest;
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
  const signedJson = (body: string): SignedRequest => {
    return { url: target, body, headers: { 'content-type': 'application/json', ...sign(options.signingSecret, body) } };
  };
  const deliver: Deliver = (type, payload, form) => {
    const socket = server.sockets.next();
    if (socket) return sendEnvelope(socket, type, payload);
    return send(form ? signed(form) : signedJson(JSON.stringify(payload)));
  };
  const all = () => [...space.messages.values()];
  return {
    ...peopleOf(server, deliver),
    apiUrl: `${server.base()}/api/`,
    space,
    calls: server.calls,
    fault: server.faults.add,
    limit: server.limits.set,
    disconnect: server.sockets.disconnect,
    setTarget: (requestUrl) => {
      target = requestUrl;
    },
    signed,
    signedJson,
    messages: (channel) =>
      all().filter((message) => message.channel === channel && !message.thread && !message.onlyFor),
    thread: (message) => all().filter(({ thread }) => thread === message.ts),
    ephemerals: (user) => all().filter(({ onlyFor }) => onlyFor === user),
    waitFor: (what, fits, ms = 10_000) => waitFor(space, what, fits, ms),
    close: server.close,
  };
}
