/** How often the run that a worker holds was steered, as far as the worker knows. */
export type Steering = {
  reached(count: number): void;
  /** Aborts once more than `count` is known. */
  past(count: number): AbortSignal;
};

export function createSteering(): Steering {
  let known = 0;
  let waiting: { count: number; abort: AbortController }[] = [];
  return {
    reached: (count) => {
      known = Math.max(known, count);
      for (const { abort } of waiting.filter((each) => known > each.count)) abort.abort();
      waiting = waiting.filter((each) => known <= each.count);
    },
    past: (count) => {
      const abort = new AbortController();
      if (known > count) abort.abort();
      else waiting.push({ count, abort });
      return abort.signal;
    },
  };
}
