/** Timers count up to this, some 24 days; one that is longer would be over at once. */
const longestMs = 2 ** 31 - 1;

/** What each combined signal is made of: Node's own holds it weakly. */
const parts = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/** Stops the clocks of combined signals that nobody has any more. */
const clocks = new FinalizationRegistry<NodeJS.Timeout>(clearTimeout);

function startClock(ms: number): { signal: AbortSignal; timer: NodeJS.Timeout } {
  const over = new AbortController();
  const stop = () => over.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  const timer = setTimeout(stop, Math.min(ms, longestMs));
  timer.unref();
  return { signal: over.signal, timer };
}

/**
 * Aborts as soon as one of them does, with its reason. What `AbortSignal.any` makes forgets a signal that nobody else holds, and
 * with it that it was aborted (docs/decisions/0037); this does not.
 */
export function either(...signals: readonly AbortSignal[]): AbortSignal {
  // Combined with one that is aborted, Node lets go of the others, for all who listen to them.
  const over = signals.find(({ aborted }) => aborted);
  if (over) return over;
  const combined = AbortSignal.any([...signals]);
  parts.set(combined, signals);
  return combined;
}

/** Aborts with a TimeoutError after so many milliseconds, as `AbortSignal.timeout` does, but is never lost where it is combined. */
export const after = (ms: number): AbortSignal => startClock(ms).signal;

/**
 * The signal, and a limit of time: aborts with the signal's reason, or with a TimeoutError after so many milliseconds, also where
 * nobody listens at that moment. Keeps no process alive, leaves nothing behind on the signal, and needs no tidying up.
 */
export function within(signal: AbortSignal, ms: number): AbortSignal {
  if (signal.aborted) return signal;
  const clock = startClock(ms);
  const limited = either(signal, clock.signal);
  clocks.register(limited, clock.timer);
  return limited;
}
