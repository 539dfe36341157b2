import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../src/core/actor.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { standingOf } from '../../src/core/standing.ts';
import { readRun } from '../../src/engine/reading.ts';
import { whoOf } from '../../src/engine/reads.ts';
import { type ApiDeps, identityOf } from './api-context.ts';
import { patience } from './patience.ts';

/** Whether a run gets no further before a person says something. */
export function waitsForPerson(run: Run): boolean {
  const { state, steps } = run;
  if (state !== 'running') return state === 'awaiting' || state === 'set-aside';
  const asks = Object.values(steps).some((step) => step.state === 'waiting' && step.asks !== undefined);
  // A canary at a share that only a person brings it on from.
  return asks || standingOf(run, [])?.phase === 'manual';
}

type Watching = Pick<ApiDeps, 'engine' | 'changes'> & { actor: Actor; signal: AbortSignal };

/** The run as it is now; as it was, with the store away, and for whoever may read it no longer. */
const look = ({ engine, actor }: Watching, run: Run): Promise<Run> => readRun(engine, run.id, actor).catch(() => run);

/** Watches one run at a time, however many there are: all must end, in whatever order. */
async function untilAll(watching: Watching, first: readonly Run[], done: (run: Run) => boolean): Promise<Run[]> {
  let runs = [...first];
  for (;;) {
    const next = runs.find((run) => !done(run));
    if (!next || watching.signal.aborted) return runs;
    for await (const _turn of watching.changes.of(next.id, watching.signal))
      if (done(await look(watching, next))) break;
    // The others went on meanwhile.
    runs = await Promise.all(runs.map((run) => (isOver(run.state) ? run : look(watching, run))));
  }
}

/**
 * Holds a request until its runs are over, or so many seconds have passed.
 *
 * A run that comes to wait for a person meanwhile ends the waiting: a script then says at once in its log, with the link, who
 * must approve, and that is what gets it approved; a minute's silence does not. Where it waited for somebody already when the
 * request came, its sender knows that, and it is waited for like any other. So asking again is to wait for the approval too.
 * @returns the runs as they are then, and whether there was a place to wait in
 */
export async function waitForEnd(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  first: readonly Run[],
  seconds: number,
): Promise<{ runs: readonly Run[]; waited: boolean }> {
  const { actor, expiresAt } = identityOf(request);
  const settings = deps.engine.settings();
  const leave = deps.holds.take(whoOf(settings, actor), settings.reads.atOnce);
  if (!leave) return { runs: first, waited: false };
  const known = new Set(first.filter(waitsForPerson).map(({ id }) => id));
  const done = (run: Run) => isOver(run.state) || (waitsForPerson(run) && !known.has(run.id));
  // A token that counts no longer is told nothing more.
  const { signal, end } = patience(deps.closing, reply, Math.min(seconds * 1_000, expiresAt - deps.engine.now()));
  try {
    return { runs: await untilAll({ ...deps, actor, signal }, first, done), waited: true };
  } finally {
    end();
    leave();
  }
}
