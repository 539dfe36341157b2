import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('there is no gc to call');
  return () => void collect();
}

export const collectGarbage = collector();

/** Lets time pass, and collects all garbage again and again meanwhile. */
export async function collectFor(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    // A weak reference that was read keeps its object until this turn is over.
    await sleep(5);
    collectGarbage();
  }
}
