import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../src/core/ports.ts';

export type Loop = { nudge(): void; stop(): Promise<void> };

/**
 * Calls `turn` again and again, `everyMs` apart or `nudgedMs` after it is nudged; never twice at once.
 * A turn that throws is logged, and the loop goes on.
 */
export function startLoop(
  name: string,
  { everyMs, nudgedMs = 0 }: { everyMs: number; nudgedMs?: number },
  turn: () => Promise<unknown>,
  log: Log,
): Loop {
  const stopped = new AbortController();
  let pause = new AbortController();
  let nudged = false;
  const run = async () => {
    while (!stopped.signal.aborted) {
      nudged = false;
      await turn().catch((problem: unknown) => log.warn({ loop: name, problem }, 'a turn of a loop failed'));
      pause = new AbortController();
      if (!nudged && !stopped.signal.aborted) await sleep(everyMs, undefined, { signal: pause.signal }).catch(() => {});
      if (nudged && !stopped.signal.aborted) await sleep(nudgedMs);
    }
  };
  const ended = run();
  return {
    nudge: () => {
      nudged = true;
      pause.abort();
    },
    stop: async () => {
      stopped.abort();
      pause.abort();
      await ended;
    },
  };
}
