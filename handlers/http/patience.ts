import type { EventEmitter } from 'node:events';

const longestTimerMs = 2 ** 31 - 1;

/** What a reply writes to. */
type Socket = Pick<EventEmitter, 'once' | 'off'> & { destroyed: boolean };

/**
 * For how long somebody is answered: so many milliseconds, until they hang up, or until the server closes. `end` lets go of all
 * three. It has a timer of its own: a time-out inside of `AbortSignal.any` was seen to never come (Node 24.21).
 */
export function patience(
  closing: AbortSignal,
  { raw }: { raw: Socket },
  ms: number,
): { signal: AbortSignal; end(): void } {
  const over = new AbortController();
  const stop = () => over.abort();
  const timer = setTimeout(stop, Math.min(Math.max(0, ms), longestTimerMs));
  if (closing.aborted || raw.destroyed) stop();
  closing.addEventListener('abort', stop);
  raw.once('close', stop);
  return {
    signal: over.signal,
    end: () => {
      clearTimeout(timer);
      closing.removeEventListener('abort', stop);
      raw.off('close', stop);
    },
  };
}
