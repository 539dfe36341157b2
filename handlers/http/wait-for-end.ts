import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../src/core/actor.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { standingOf } from '../../src/core/standing.ts';
import { readRun } from '../../src/engine/reading.ts';
import { whoOf } from '../../src/engine/reads.ts';
import { type ApiDeps, identityOf } from './api-context.ts';
import { patience } from './patience.ts';

/** Where a run gets no further before a person says something; nothing where it goes on by itself. */
export function waitsForPerson(run: Run): string | undefined {
  const { state, steps } = run;
  if (state !== 'running') return state === 'awaiting' || state === 'set-aside' ? state : undefined;
  const asking = Object.entries(steps).find(([, step]) => step.state === 'waiting' && step.asks !== undefined);
  if (asking) return asking[0];
  // A canary at a share that only a person brings it on from.
  const standing = standingOf(run, []);
  return standing?.phase === 'manual' ? `${standing.weight} %` : undefined;
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
 * request came, its sender knows that, and it is waited for like any other, until it waits elsewhere: for the approval, say, or at
 * a canary's next share. So asking again is to wait for the approval too.
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
  const known = new Map(first.map((run) => [run.id, waitsForPerson(run)]));
  const done = (run: Run) => {
    const waits = waitsForPerson(run);
    if (waits === undefined) known.delete(run.id);
    return isOver(run.state) || (waits !== undefined && waits !== known.get(run.id));
  };
  // A token that counts no longer is told nothing more.
  const { signal, end } = patience(deps.closing, reply, Math.min(seconds * 1_000, expiresAt - deps.engine.now()));
  try {
    return { runs: await untilAll({ ...deps, actor, signal }, first, done), waited: true };
  } finally {
    end();
    leave();
  }
}
