import { setTimeout as sleep } from 'node:timers/promises';

const trialMs = 500;

/**
 * A run whose worker was lost may be why. Such runs are taken up one by one, and the next only once the one before has lived for half a
 * second: should one of them end this process too, that is put down to it alone, until `acquit` is told that it lived.
 */
export function createTrials<Work>(
  begin: (runId: string, work: Work) => Promise<{ working: Promise<void> } | undefined>,
  acquit: (runId: string) => Promise<void>,
): { take(runId: string, work: Work): Promise<void>; stop(): void } {
  let stopped = false;
  let line: Promise<unknown> = Promise.resolve();
  const inLine = new Set<string>();
  const tryOut = async (runId: string, work: Work) => {
    inLine.delete(runId);
    const begun = stopped ? undefined : await begin(runId, work);
    if (begun) {
      await Promise.race([begun.working.catch(() => {}), sleep(trialMs)]);
      await acquit(runId);
    }
    return begun;
  };
  return {
    take: async (runId, work) => {
      if (inLine.has(runId)) return;
      inLine.add(runId);
      const tried = line.then(() => tryOut(runId, work));
      line = tried.catch(() => {});
      await (await tried)?.working;
    },
    stop: () => {
      stopped = true;
    },
  };
}
