import { Fault } from '../core/errors.ts';
import type { Parts } from '../core/parts.ts';
import { type Cancel, isOver, type Run } from '../core/run.ts';
import type { Lap } from './lap.ts';
import { request } from './request.ts';
import { halt } from './stop.ts';

/** Asks for a part: a run like any other, in the same name, for the same reason, under the same trace. */
async function fresh({ engine, run }: Lap, key: string, ask: Parameters<Parts['ask']>[1]): Promise<Run> {
  const { id, actor, origin, trace, breakGlass, startedAt } = run();
  const { operation, input, digest } = ask;
  return await request(engine, {
    actor,
    origin,
    operation,
    input,
    // What is asked for while the whole is planned was approved by nobody yet.
    partOf: { id, key, ...(digest !== undefined && { digest }), approved: startedAt !== undefined },
    // Lost between asking and remembering it, it is found again by this.
    key: `part:${id}:${key}`,
    ...(trace !== undefined && { trace }),
    ...(breakGlass && { breakGlass: breakGlass.reason }),
  });
}

/** A part that has ended meanwhile needs no stopping. */
async function end({ engine }: Lap, id: string, wish: Parameters<Parts['stop']>[1]): Promise<void> {
  const part = await engine.store.read(id);
  if (!part || isOver(part.state)) return;
  await halt(engine, part, wish).catch((thrown: unknown) => {
    if (!(thrown instanceof Fault && thrown.code === 'ALREADY_OVER')) throw thrown;
  });
}

/** The parts of a run. */
export function partsOf(lap: Lap): Parts {
  const { engine } = lap;
  return {
    ask: async (key, ask) => {
      const known = lap.run().parts?.[key];
      const found = known === undefined ? undefined : await engine.store.read(known);
      if (found) return found;
      const part = await fresh(lap, key, ask);
      await lap.save((run) => ({ ...run, parts: { ...run.parts, [key]: part.id } }));
      return part;
    },
    stop: (id, wish) => end(lap, id, wish),
  };
}

/** Whoever stops a run stops its parts. */
export async function stopParts(lap: Lap, { actor, reason }: Cancel): Promise<void> {
  for (const id of Object.values(lap.run().parts ?? {}))
    await end(lap, id, { actor, ...(reason !== undefined && { reason }) });
}
