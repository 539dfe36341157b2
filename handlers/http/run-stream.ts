import { z } from 'zod';
import { type Actor, actorId } from '../../src/core/actor.ts';
import { Fault } from '../../src/core/errors.ts';
import { isOver, type Run, RunEvent } from '../../src/core/run.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { eventsOf, readRun } from '../../src/engine/reading.ts';
import type { RunChanges } from './run-changes.ts';

const heartbeatMs = 15_000;
const eventsAtOnce = 200;

export type StreamDeps = { engine: Engine; changes: RunChanges; actor: Actor };

/** An event as REST shows it: people by their ids. */
export const EventView = RunEvent.extend({ actor: z.string().optional() });

const viewOf = ({ actor, ...event }: RunEvent): z.output<typeof EventView> => ({
  ...event,
  ...(actor && { actor: actorId(actor) }),
});
const frame = (id: string, event: RunEvent) => `id: ${id}\ndata: ${JSON.stringify(viewOf(event))}\n\n`;
const lastFrame = ({ id, state }: Run) => `event: end\ndata: ${JSON.stringify({ run: id, state })}\n\n`;

/** Everything that happened after `cursor`, page by page. */
async function* backlog(engine: Engine, run: Run, cursor: string): AsyncGenerator<[string, string]> {
  for (let after = cursor; ; ) {
    const page = await eventsOf(engine, run, after, eventsAtOnce);
    for (const { id, event } of page) yield [id, frame(id, event)];
    const last = page.at(-1);
    if (!last || page.length < eventsAtOnce) return;
    after = last.id;
  }
}

/**
 * A run's events as server-sent events: what happened after `cursor`, then what happens, then `end` when it is over.
 * While the store is away it waits; nothing is left out, since it goes on from the last event that was sent. Whoever may read
 * the run no longer is told no more of it.
 */
export async function* runStream(
  { engine, changes, actor }: StreamDeps,
  runId: string,
  cursor: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let sent = cursor;
  let quietSince = engine.now();
  for await (const _turn of changes.of(runId, signal)) {
    try {
      // The run before its events: where it is over, all its events are there.
      const run = await readRun(engine, runId, actor);
      for await (const [id, text] of backlog(engine, run, sent)) {
        sent = id;
        quietSince = engine.now();
        yield text;
      }
      if (isOver(run.state)) return yield lastFrame(run);
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === 'UNKNOWN_RUN') return;
      if (!(thrown instanceof Fault && thrown.code === 'STORE_DOWN')) throw thrown;
    }
    if (engine.now() - quietSince >= heartbeatMs) {
      quietSince = engine.now();
      yield ': still here\n\n';
    }
  }
}
