/** At most `calls` of a method in `perMs`; per channel where the method names one. */
type RateLimit = { calls: number; perMs: number };

export type RateLimits = {
  /** Switches a limit on, or off with `undefined`. */
  set(method: string, limit: RateLimit | undefined): void;
  /** Counts a call; the seconds to wait where it is one too many. */
  take(method: string, channel: string): number | undefined;
};

/** Limits like Slack's: a sliding window that starts empty. */
export function createRateLimits(now: () => number = Date.now): RateLimits {
  const limits = new Map<string, RateLimit>();
  const recent = new Map<string, number[]>();
  return {
    set: (method, limit) => void (limit ? limits.set(method, limit) : limits.delete(method)),
    take: (method, channel) => {
      const limit = limits.get(method);
      if (!limit) return undefined;
      const key = `${method} ${channel}`;
      const window = (recent.get(key) ?? []).filter((at) => at > now() - limit.perMs);
      const [oldest] = window;
      const full = window.length >= limit.calls && oldest !== undefined;
      recent.set(key, full ? window : [...window, now()]);
      return full ? Math.max(1, Math.ceil((oldest + limit.perMs - now()) / 1_000)) : undefined;
    },
  };
}
