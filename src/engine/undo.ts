import { fault } from '../core/errors.ts';
import type { Run } from '../core/run.ts';
import type { Engine } from './engine.ts';
import { readRun } from './reading.ts';
import { type Ask, request } from './request.ts';

/**
 * Asks for the way back from what a run changed: a request like any other, planned, and approved where policy says so.
 * @throws Fault UNKNOWN_RUN, NOTHING_TO_UNDO, and whatever the request is refused for
 */
export async function undo(engine: Engine, runId: string, ask: Pick<Ask, 'actor' | 'origin' | 'key'>): Promise<Run> {
  const run = await readRun(engine, runId, ask.actor);
  const way = run.plan?.undo;
  if (!way || run.startedAt === undefined) throw fault('NOTHING_TO_UNDO', { id: runId });
  return await request(engine, { ...ask, ...way });
}
