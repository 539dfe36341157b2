import { z } from 'zod';
import { actorId } from '../../src/core/actor.ts';
import { Fault } from '../../src/core/errors.ts';
import type { RunStore } from '../../src/core/ports.ts';
import { isOver, type Run, RunEvent } from '../../src/core/run.ts';
import type { RunChanges } from './run-changes.ts';

const heartbeatMs = 15_000;
const eventsAtOnce = 200;

export type StreamDeps = { store: Pick<RunStore, 'read' | 'events'>; changes: RunChanges; now: () => number };

/** An event as REST shows it: people by their ids. */
export const EventView = RunEvent.extend({ actor: z.string().optional() });

const viewOf = ({ actor, ...event }: RunEvent): z.output<typeof EventView> => ({
  ...event,
  ...(actor && { actor: actorId(actor) }),
});
const frame = (id: string, event: RunEvent) => `id: ${id}\ndata: ${JSON.stringify(viewOf(event))}\n\n`;
const lastFrame = ({ id, state }: Run) => `event: end\ndata: ${JSON.stringify({ run: id, state })}\n\n`;

/** Everything that happened after `cursor`, page by page. */
async function* backlog(store: StreamDeps['store'], runId: string, cursor: string): AsyncGenerator<[string, string]> {
  for (let after = cursor; ; ) {
    const page = await store.events(runId, after, eventsAtOnce);
    for (const { id, event } of page) yield [id, frame(id, event)];
    const last = page.at(-1);
    if (!last || page.length < eventsAtOnce) return;
    after = last.id;
  }
}

/**
 * A run's events as server-sent events: what happened after `cursor`, then what happens, then `end` when it is over.
 * While the store is away it waits; nothing is left out, since it goes on from the last event that was sent.
 */
export async function* runStream(
  deps: StreamDeps,
  runId: string,
  cursor: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let sent = cursor;
  let quietSince = deps.now();
  for await (const _turn of deps.changes.of(runId, signal)) {
    try {
      // The run before its events: where it is over, all its events are there.
      const run = await deps.store.read(runId);
      for await (const [id, text] of backlog(deps.store, runId, sent)) {
        sent = id;
        quietSince = deps.now();
        yield text;
      }
      if (!run) return;
      if (isOver(run.state)) return yield lastFrame(run);
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.code === 'STORE_DOWN')) throw thrown;
    }
    if (deps.now() - quietSince >= heartbeatMs) {
      quietSince = deps.now();
      yield ': still here\n\n';
    }
  }
}
