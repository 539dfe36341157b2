import type { EventEmitter } from 'node:events';

const longestTimerMs = 2 ** 31 - 1;

/** What a reply writes to. */
type Socket = Pick<EventEmitter, 'once' | 'off'> & { destroyed: boolean };

/**
 * For how long somebody is answered: so many milliseconds, until they hang up, or until the server closes. All three are let go of
 * as soon as one comes, or by `end`; a signal of core/within lets go of them only once nobody has it.
 */
export function patience(
  closing: AbortSignal,
  { raw }: { raw: Socket },
  ms: number,
): { signal: AbortSignal; end(): void } {
  const over = new AbortController();
  const end = () => {
    clearTimeout(timer);
    closing.removeEventListener('abort', stop);
    raw.off('close', stop);
  };
  const stop = () => {
    end();
    over.abort();
  };
  const timer = setTimeout(stop, Math.min(Math.max(0, ms), longestTimerMs));
  closing.addEventListener('abort', stop);
  raw.once('close', stop);
  if (closing.aborted || raw.destroyed) stop();
  return { signal: over.signal, end };
}
