import type { Log, RunStore } from '../src/core/ports.ts';
import { type Loop, startLoop } from './loop.ts';

const everyMs = 500;
const atOnce = 100;
/** A run that was poked and is still not looked at is poked again after this long. */
const againMs = 2_000;

/**
 * Pokes every run that somebody should look at: whose worker was killed, whose poke got lost, whose approval expired.
 * Any number of sweepers share the work.
 */
export function startSweeper(deps: { store: RunStore; wake: (runId: string) => Promise<void>; log: Log }): Loop {
  const { store, wake, log } = deps;
  return startLoop('sweeper', { everyMs }, async () => Promise.all((await store.due(atOnce, againMs)).map(wake)), log);
}
