import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { digestOf } from '../../src/core/json.ts';
import { placeKey } from '../../src/core/lock.ts';
import type { Catalogue } from '../../src/core/operation.ts';
import { siteOf } from '../../src/core/place.ts';
import type {
  AlertStore,
  Announced,
  Announcer,
  Log,
  OrderStore,
  RunStore,
  Shown,
  Subject,
} from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import { alertMessage } from './blocks/alert-message.ts';
import { type MessageView, section } from './blocks/elements.ts';
import { explanationMessage } from './blocks/explanation-message.ts';
import { type InLine, runMessage } from './blocks/run-message.ts';
import { statusMessage } from './blocks/status-message.ts';
import { tableMessage } from './blocks/table-message.ts';
import { textMessage } from './blocks/text-message.ts';
import { threadReply } from './blocks/thread-reply.ts';

type Deps = {
  client: WebClient;
  catalogue: Catalogue;
  store: RunStore;
  alerts: AlertStore;
  order: OrderStore;
  settings: () => Settings;
  log: Log;
};

const troubleMs = 5_000;
const eventsAtOnce = 200;

const SlackError = z.object({
  code: z.string(),
  retryAfter: z.number().optional(),
  data: z
    .object({ error: z.string(), response_metadata: z.object({ messages: z.array(z.string()).optional() }).optional() })
    .optional(),
});

/** What the channel sees where Slack does not take the blocks: never lose the message. */
const plainly = (view: MessageView): MessageView => ({ text: view.text, blocks: [section(view.text)] });

async function send(deps: Deps, view: MessageView, call: (view: MessageView) => Promise<string>): Promise<string> {
  try {
    return await call(view);
  } catch (thrown) {
    const error = SlackError.safeParse(thrown);
    if (error.data?.data?.error !== 'invalid_blocks') throw thrown;
    deps.log.error(
      { pointers: error.data.data.response_metadata?.messages },
      'Slack refused the blocks; sent as plain text',
    );
    return await call(plainly(view));
  }
}

/** Where to: the channel, and who is told instead where Shipmate can't post there. */
type To = { channel: string; user?: string };

const closed = ['channel_not_found', 'not_in_channel', 'is_archived'];

async function post(deps: Deps, to: string, view: MessageView): Promise<{ channel: string; ts: string }> {
  const posted = { channel: to, ts: '' };
  await send(deps, view, async (as) => {
    const answer = await deps.client.chat.postMessage({ channel: to, ...as, unfurl_links: false });
    posted.channel = answer.channel ?? to;
    posted.ts = answer.ts ?? '';
    return posted.ts;
  });
  return posted;
}

/** Where the channel is closed to Shipmate, the person gets the message, in the conversation the two have. */
async function orInPerson<Sent>(
  deps: Deps,
  user: string | undefined,
  view: MessageView,
  inChannel: () => Promise<Sent>,
) {
  try {
    return await inChannel();
  } catch (thrown) {
    const error = SlackError.safeParse(thrown).data?.data?.error ?? '';
    if (user === undefined || !closed.includes(error)) throw thrown;
    return await post(deps, user, view);
  }
}

/** Posts a subject's message, or edits it where it looks different now. */
async function bringUpToDate(deps: Deps, to: To, view: MessageView, shown: Shown | undefined): Promise<Shown> {
  const hash = digestOf(view);
  if (!shown) {
    const posted = await orInPerson(deps, to.user, view, () => post(deps, to.channel, view));
    return { ...posted, hash, cursor: '' };
  }
  if (shown.hash === hash) return shown;
  await send(
    deps,
    view,
    async (as) => (await deps.client.chat.update({ channel: shown.channel, ts: shown.ts, ...as })).ts ?? '',
  );
  return { ...shown, hash };
}

/** The thread gets what happened since it was last written to, in one reply. */
async function bringThreadUpToDate(deps: Deps, run: Run, shown: Shown): Promise<Shown> {
  const events = await deps.store.events(run.id, shown.cursor, eventsAtOnce);
  const last = events.at(-1);
  if (!last) return shown;
  const reply = threadReply(
    run,
    events.map(({ event }) => event),
    deps.settings(),
  );
  if (reply) {
    const { broadcast, ...view } = reply;
    await send(deps, view, async (as) => {
      const thread = { channel: shown.channel, thread_ts: shown.ts, ...as };
      return (await deps.client.chat.postMessage(broadcast ? { ...thread, reply_broadcast: true } : thread)).ts ?? '';
    });
  }
  return { ...shown, cursor: last.id };
}

function answerView(run: Run, settings: Settings): MessageView {
  if (run.report?.kind === 'status') return statusMessage(run.report, run.updatedAt);
  if (run.report?.kind === 'table') return tableMessage(run.report);
  if (run.report?.kind === 'explanation') return explanationMessage(run.report, run.updatedAt);
  if (run.report?.kind === 'text') return textMessage(run.report);
  return runMessage(run, settings);
}

/** Where a run stands in its line; undefined unless it waits in one. */
async function placeInLine({ order }: Deps, run: Run): Promise<InLine | undefined> {
  const { id, state } = run;
  const place = siteOf(run);
  if (state !== 'queued' || !place) return undefined;
  const { holder, waiting, paceMs } = await order.line(placeKey(place));
  const ahead = [...(holder === undefined || holder === id ? [] : [holder]), ...waiting.slice(0, waiting.indexOf(id))];
  return { ahead, ...(paceMs !== undefined && { waitMs: paceMs * ahead.length }) };
}

/** The answer to a question goes to the one who asked, once. */
async function whisper(deps: Deps, run: Run, shown: Shown | undefined): Promise<Announced> {
  if (run.origin.surface !== 'slack' || !isOver(run.state) || shown) return { kind: 'nothing' };
  const { channel, user } = run.origin;
  const view = answerView(run, deps.settings());
  await orInPerson(deps, user, view, () =>
    send(deps, view, async (as) => (await deps.client.chat.postEphemeral({ channel, user, ...as })).message_ts ?? ''),
  );
  return { kind: 'shown', shown: { channel, ts: '', hash: '', cursor: '' } };
}

/** Where a run is told of. A broken glass is never silent: without a channel of its own it goes to Shipmate's. */
function addressOf({ origin, place, breakGlass }: Run, settings: Settings): To | undefined {
  if (origin.surface === 'slack') return { channel: origin.channel, user: origin.user };
  const channel = place?.channel ?? (breakGlass ? settings.channel : undefined);
  return channel === undefined ? undefined : { channel };
}

/** How long to leave Slack alone after a failure; undefined where trying again won't help. */
function backoff(thrown: unknown): number | undefined {
  const error = SlackError.safeParse(thrown).data;
  if (error?.retryAfter !== undefined) return error.retryAfter * 1_000;
  const hopeless = [...closed, 'message_not_found', 'cant_update_message', 'invalid_auth'];
  return error?.data && hopeless.includes(error.data.error) ? undefined : troubleMs;
}

/** What becomes of a subject when Slack refused; `shown` is the part of it that is there all the same. */
function afterFailure(deps: Deps, subject: Subject, thrown: unknown, shown?: Shown): Announced {
  const ms = backoff(thrown);
  deps.log.warn({ subject, problem: thrown, ms }, 'Slack did not take a message');
  if (ms !== undefined) return { kind: 'later', ms, shown };
  return shown ? { kind: 'shown', shown } : { kind: 'nothing' };
}

async function announceRun(deps: Deps, id: string, shown: Shown | undefined): Promise<Announced> {
  const run = await deps.store.read(id);
  if (!run) return { kind: 'nothing' };
  if (deps.catalogue.get(run.operation)?.effect === 'read') return whisper(deps, run, shown);
  const to = addressOf(run, deps.settings());
  if (to === undefined) return { kind: 'nothing' };
  const current = await bringUpToDate(deps, to, runMessage(run, deps.settings(), await placeInLine(deps, run)), shown);
  try {
    return { kind: 'shown', shown: await bringThreadUpToDate(deps, run, current) };
  } catch (thrown) {
    // The message itself is there: that must be remembered, or the next try posts it a second time.
    return afterFailure(deps, { kind: 'run', id }, thrown, current);
  }
}

async function announceAlert(deps: Deps, id: string, shown: Shown | undefined): Promise<Announced> {
  const group = await deps.alerts.read(id);
  const channel = group?.app === undefined ? undefined : deps.settings().apps[group.app]?.channel;
  if (!group || channel === undefined) return { kind: 'nothing' };
  // A group that fires again after it was resolved is news, and news is not an edit of something far up.
  const since = String(group.firstAt);
  const current = await bringUpToDate(
    deps,
    { channel },
    alertMessage(group),
    shown?.cursor === since ? shown : undefined,
  );
  return { kind: 'shown', shown: { ...current, cursor: since } };
}

/** Makes messages in Slack show what the store says. */
export function createAnnouncer(deps: Deps): Announcer {
  const announce = ({ kind, id }: Subject, shown: Shown | undefined) =>
    kind === 'run' ? announceRun(deps, id, shown) : announceAlert(deps, id, shown);
  return async (subject, shown) => {
    try {
      return await announce(subject, shown);
    } catch (thrown) {
      return afterFailure(deps, subject, thrown);
    }
  };
}
