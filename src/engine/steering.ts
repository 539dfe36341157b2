/** How often the run that a worker holds was steered, as far as the worker knows. */
export type Steering = {
  reached(count: number): void;
  /** Aborts once more than `count` is known. All who ask for the same count share one signal: a stage asks every two seconds. */
  past(count: number): AbortSignal;
};

export function createSteering(): Steering {
  let known = 0;
  const waiting = new Map<number, AbortController>();
  return {
    reached: (count) => {
      known = Math.max(known, count);
      for (const [past, abort] of waiting) {
        if (known <= past) continue;
        waiting.delete(past);
        abort.abort();
      }
    },
    past: (count) => {
      if (known > count) return AbortSignal.abort();
      const abort = waiting.get(count) ?? new AbortController();
      waiting.set(count, abort);
      return abort.signal;
    },
  };
}
