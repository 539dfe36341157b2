import type { Gate } from '../../../core/canary.ts';
import type { Kit } from './kit.ts';

/** From when to when the canary had one weight. */
export type Phase = { weight: number; since: number; until: number };

/** What the analysis says of a canary, and its one line. */
export type Gated = { gate: Gate; said?: string };

/** Where nothing is measured, time alone brings it on. */
export async function gateOf(
  { rollout }: Kit,
  _phases: readonly Phase[],
  _look: {
    last: boolean;
    now: number /** Stable has the new version already: there is nothing to compare it with. */;
    after?: boolean;
  },
  _signal: AbortSignal,
): Promise<Gated> {
  if (rollout.analysis === undefined) return { gate: 'open' };
  return { gate: 'hold' };
}
