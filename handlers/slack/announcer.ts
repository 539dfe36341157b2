import type { WebClient } from '@slack/web-api';
import { appEntry } from '../../src/core/apps.ts';
import { digestOf } from '../../src/core/json.ts';
import { placeKey } from '../../src/core/lock.ts';
import type { AlertStore, Announced, Announcer, Subject } from '../../src/core/notices.ts';
import type { Catalogue } from '../../src/core/operation.ts';
import { placesOf } from '../../src/core/place.ts';
import type { Clock, Log, OrderStore, RunStore } from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { Shown } from '../../src/core/shown.ts';
import type { Steer } from '../../src/core/steer.ts';
import { whereTo, wholeFirstMs } from './address.ts';
import { afterFailure } from './after-failure.ts';
import { alertMessage } from './blocks/alert-message.ts';
import { harmless, type MessageView, section } from './blocks/elements.ts';
import { type InLine, runMessage } from './blocks/run-message.ts';
import { threadReply } from './blocks/thread-reply.ts';
import { courseOf } from './chart/course.ts';
import { bringPicture, isPending, momentOf, pictureAgainMs, restOf, showPicture } from './run-picture.ts';
import { orInPerson, post, send, type To } from './send.ts';
import { threadNews } from './thread-news.ts';
import { whisper } from './whisper.ts';
import { upload, wholeOf } from './whole-file.ts';
import { wholePlanTold } from './whole-plan.ts';

type Deps = {
  client: WebClient;
  catalogue: Catalogue;
  store: RunStore;
  alerts: AlertStore;
  order: OrderStore;
  settings: () => Settings;
  log: Log;
  /** What the message of another subject looks like: that of the run that one is a part of. */
  shownOf?: (subject: Subject) => Promise<Shown | undefined>;
  now: Clock;
};

type Keep = Parameters<Announcer>[2];

/** Stands in a message's cursor for “the one who asked has the answer”. */
const answered = 'answered';

/** Posts a subject's message, or edits it where it looks different now. */
async function bringUpToDate(deps: Deps, to: To, view: MessageView, shown: Shown | undefined): Promise<Shown> {
  const hash = digestOf(view);
  if (!shown) {
    const { thread } = to;
    const posted = await orInPerson(deps, to.user, view, () => post(deps, to.channel, view, thread));
    return { ...posted, hash, cursor: '', ...(thread !== undefined && { thread }) };
  }
  if (shown.hash === hash) return shown;
  await send(
    deps,
    view,
    async (as) => (await deps.client.chat.update({ channel: shown.channel, ts: shown.ts, ...as })).ts ?? '',
  );
  return { ...shown, hash };
}

/** The message of a run, with its picture once it has one; a picture that Slack does not show yet leaves the rest as it is. */
async function bringMessageUpToDate(
  deps: Deps,
  run: Run,
  steers: readonly Steer[],
  to: To,
  shown: Shown | undefined,
): Promise<Shown> {
  const inLine = await placeInLine(deps, run);
  const alt = courseOf(run, steers)?.alt ?? '';
  const viewOf = (file?: string) =>
    runMessage(run, deps.settings(), inLine, { steers, picture: file === undefined ? undefined : { file, alt } });
  const tried = shown && alt !== '' ? await showPicture(deps.client, shown, viewOf) : { shown, taken: undefined };
  return tried.taken ?? bringUpToDate(deps, to, viewOf(), tried.shown);
}

/** The thread gets what happened since it was last written to, in one reply; `more` where not all of it had room. */
async function bringThreadUpToDate(deps: Deps, before: Run, shown: Shown): Promise<{ shown: Shown; more: boolean }> {
  const { run, events, more } = await threadNews(deps.store, before, shown.cursor);
  const last = events.at(-1);
  if (!last) return { shown, more: false };
  const reply = threadReply(
    run,
    events.map(({ event }) => event),
    deps.settings(),
  );
  if (reply) {
    const { broadcast, ...view } = reply;
    await send(deps, view, async (as) => {
      const thread = { channel: shown.channel, thread_ts: shown.thread ?? shown.ts, ...as };
      return (
        (
          await deps.client.chat.postMessage(
            broadcast && shown.thread === undefined ? { ...thread, reply_broadcast: true } : thread,
          )
        ).ts ?? ''
      );
    });
  }
  const ended = events.some(({ event: { kind } }) => kind === 'state') && isOver(run.state);
  return { shown: { ...shown, cursor: last.id, ...(ended && { owesFile: true }) }, more };
}

/** Beside the end of what was said, the whole of it. */
async function bringFile(deps: Deps, { id }: Run, { owesFile: _, ...shown }: Shown): Promise<Shown> {
  const { channel } = shown;
  const ts = shown.thread ?? shown.ts;
  const whole = wholeOf((await deps.store.read(id))?.report);
  const problem = whole && (await upload(deps.client, whole, { channel_id: channel, thread_ts: ts }));
  if (problem === undefined) return shown;
  deps.log.warn({ runId: id, problem }, 'Slack did not take a file');
  const text = harmless(problem);
  const view = { text, blocks: [section(text)] };
  await deps.client.chat.postMessage({ channel, thread_ts: ts, ...view });
  return shown;
}

/** Where a run stands in its line, or in the first of several that it is not through; undefined unless it waits in one. */
async function placeInLine({ order, store }: Deps, run: Run): Promise<InLine | undefined> {
  const { id, state } = run;
  if (state !== 'queued') return undefined;
  for (const place of placesOf(run).map(placeKey).sort()) {
    const { holder, waiting, paceMs } = await order.line(place);
    const before = waiting.slice(0, Math.max(0, waiting.indexOf(id)));
    const ahead = [...(holder === undefined || holder === id ? [] : [holder]), ...before];
    if (ahead.length === 0) continue;
    const aside = holder !== undefined && (await store.read(holder))?.state === 'set-aside';
    return { ahead, aside, ...(paceMs !== undefined && { waitMs: paceMs * ahead.length }) };
  }
  return { ahead: [] };
}

/** A question that was set aside has a message that all see, but for its answer, which goes to the one who asked as ever. */
async function announceAside(deps: Deps, run: Run, shown: Shown | undefined, keep: Keep): Promise<Announced> {
  const to = await whereTo(deps, run);
  if (to === undefined || to === 'wait') return whisper(deps, run, shown);
  const current = await bringMessageUpToDate(deps, { ...run, report: undefined }, [], to, shown);
  if (current.ts !== shown?.ts) await keep(current);
  if (!isOver(run.state) || current.cursor === answered) return { kind: 'shown', shown: current };
  const told = await whisper(deps, run, undefined);
  if (told.kind === 'later') return { ...told, shown: current };
  return { kind: 'shown', shown: { ...current, cursor: answered } };
}

async function announceRun(deps: Deps, id: string, shown: Shown | undefined, keep: Keep): Promise<Announced> {
  const run = await deps.store.read(id);
  if (!run) return { kind: 'nothing' };
  const operation = deps.catalogue.get(run.operation);
  if (operation?.effect === 'read' && !operation.openly(run.input))
    return run.setAside ? announceAside(deps, run, shown, keep) : whisper(deps, run, shown);
  const to = await whereTo(deps, run);
  if (to === 'wait' && !shown) return { kind: 'later', ms: wholeFirstMs };
  if (to === undefined || to === 'wait') return { kind: 'nothing' };
  const steers = run.plan?.rollout ? await deps.store.steers(id) : [];
  const now = deps.now();
  const rest = shown ? restOf(run, steers, shown, now) : 0;
  const edited = run.plan?.rollout && { edited: { of: momentOf(run, steers), at: now } };
  const current =
    shown && rest > 0 ? shown : { ...(await bringMessageUpToDate(deps, run, steers, to, shown)), ...edited };
  let done = current;
  try {
    if (current.ts !== shown?.ts) await keep(current);
    for await (const told of wholePlanTold(deps, run, done)) {
      done = told;
      await keep(done);
    }
    const { shown: told, more } = await bringThreadUpToDate(deps, run, done);
    done = told;
    if (told.cursor !== current.cursor) await keep(done);
    if (done.owesFile) done = await bringFile(deps, run, done);
    if (more) return { kind: 'later', ms: 0, shown: done };
    const drawn = await bringPicture(deps, run, steers, done, now);
    done = drawn.shown;
    const ms = isPending(done, shown) ? pictureAgainMs : drawn.againMs || rest;
    return ms > 0 ? { kind: 'later', ms, shown: done } : { kind: 'shown', shown: done };
  } catch (thrown) {
    // The message itself is there: that must be remembered, or the next try posts it a second time.
    return afterFailure(deps, { kind: 'run', id }, thrown, done);
  }
}

async function announceAlert(deps: Deps, id: string, shown: Shown | undefined): Promise<Announced> {
  const group = await deps.alerts.read(id);
  const channel = group?.app === undefined ? undefined : appEntry(deps.settings(), group.app)?.its.channel;
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
  const announce = ({ kind, id }: Subject, shown: Shown | undefined, keep: Keep) =>
    kind === 'run' ? announceRun(deps, id, shown, keep) : announceAlert(deps, id, shown);
  return async (subject, shown, keep) => {
    try {
      return await announce(subject, shown, keep);
    } catch (thrown) {
      return afterFailure(deps, subject, thrown);
    }
  };
}
