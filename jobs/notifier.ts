import type { Announcer, NoticeStore, Subject } from '../src/core/notices.ts';
import type { Log } from '../src/core/ports.ts';
import { type Loop, startLoop } from './loop.ts';

const everyMs = 1_000;
/** What happens within this time is shown at once: the first message shows the plan already. */
const nudgedMs = 50;
/** How long a message may be out of date before a process shows it that only stands in for the workers. */
const standInMs = 5_000;
const atOnce = 20;
/** Whoever stands in has commands to answer first, and Slack takes about one message a second in a channel anyway. */
const atOnceInStead = 2;
/** Longer than any single call to Slack may take: until then no other notifier touches the same message. */
const againMs = 15_000;
/** Slack allows about one edit a second in a channel. */
const betweenEditsMs = 1_000;

/**
 * Brings messages up to date: one message a subject, edited in place; the last state wins.
 * Slack slow or away never holds up a run.
 */
export async function startNotifier(deps: {
  notices: NoticeStore;
  announce: Announcer;
  log: Log;
  /** Shows only what no worker has shown in time: with all workers gone, people are still answered. */
  standIn: boolean;
}): Promise<Loop> {
  const { notices, announce, log } = deps;
  const lastEdit = new Map<string, number>();

  const settle = async (subject: Subject, touched: number) => {
    const key = `${subject.kind}:${subject.id}`;
    const wait = (lastEdit.get(key) ?? 0) + betweenEditsMs - performance.now();
    if (wait > 0) return notices.later(subject, Math.ceil(wait));
    const announced = await announce(subject, await notices.shown(subject), (shown) => notices.keep(subject, shown));
    if (announced.kind !== 'later' || announced.shown) lastEdit.set(key, performance.now());
    if (announced.kind === 'later') return notices.later(subject, announced.ms, announced.shown);
    return notices.done(subject, touched, announced.kind === 'shown' ? announced.shown : undefined);
  };
  const turn = async () => {
    const old = performance.now() - betweenEditsMs;
    for (const [key, when] of lastEdit) if (when < old) lastEdit.delete(key);
    const claimed = await (deps.standIn
      ? notices.claim(atOnceInStead, againMs, standInMs)
      : notices.claim(atOnce, againMs, 0));
    await Promise.all(
      claimed.map(({ subject, touched }) =>
        settle(subject, touched).catch((problem: unknown) =>
          log.warn({ subject, problem }, 'message not brought up to date'),
        ),
      ),
    );
  };
  const loop = startLoop('notifier', { everyMs, nudgedMs }, turn, log);
  const unwatch = deps.standIn ? async () => {} : await notices.watch(() => loop.nudge());
  return {
    nudge: loop.nudge,
    stop: async () => {
      await unwatch();
      await loop.stop();
    },
  };
}
