import type { RunStore } from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';

const eventsAtOnce = 200;
const lettersAtOnce = 8_000;

type Events = Awaited<ReturnType<RunStore['events']>>;

/** As many events as one reply has room for. */
function portionOf(events: Events): Events {
  let letters = 0;
  const room = events.findIndex(({ event }) => {
    letters += event.text.length + 20;
    return letters > lettersAtOnce;
  });
  return room < 0 ? events : events.slice(0, Math.max(1, room));
}

/**
 * What happened in a run since its thread was last written to, and the run as it was then; `more` where not all of it has room.
 * A run that ends between the two reads is read again, and so are its events, or nobody would be called to its end.
 */
export async function threadNews(
  store: Pick<RunStore, 'events' | 'read'>,
  before: Run,
  cursor: string,
): Promise<{ run: Run; events: Events; more: boolean }> {
  let [run, all] = [before, await store.events(before.id, cursor, eventsAtOnce)];
  if (!isOver(run.state) && all.some(({ event }) => event.kind === 'state')) {
    run = (await store.read(run.id)) ?? run;
    if (isOver(run.state)) all = await store.events(run.id, cursor, eventsAtOnce);
  }
  const events = portionOf(all);
  return { run, events, more: events.length < all.length || all.length === eventsAtOnce };
}
