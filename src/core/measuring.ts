import type { Json } from './json.ts';

/** What an analysis asks of the world outside. */

/** One series of an answer: NaN and infinities as they come, at which moment of Prometheus' own clock. */
export type Sample = { labels: Readonly<Record<string, string>>; value: number; at: number };

export type Metrics = {
  /** Whether there is one to ask. */
  configured: boolean;
  /**
   * Evaluates PromQL at Prometheus' own present.
   * @throws Fault METRICS_OFF, METRICS_UNREACHABLE, METRICS_REFUSED
   */
  query(promql: string, options: { timeoutMs: number }, signal: AbortSignal): Promise<Sample[]>;
};

export type Hooks = {
  /** Posts JSON and answers with the JSON that comes back. No redirect is followed. @throws Fault HOOK_FAILED */
  ask(
    url: string,
    body: Json,
    options: { timeoutMs: number; hosts: readonly string[] },
    signal: AbortSignal,
  ): Promise<unknown>;
};
