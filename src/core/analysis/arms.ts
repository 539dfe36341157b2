import type { Bucket } from './buckets.ts';

/** What one arm served in one phase of constant weight; durations in ms, cumulative. */
export type ArmCounts = { requests: number; failures: number; latency?: Bucket[] };

/** How many requests an arm is known to have answered, by whichever counter was asked. */
export const servedIn = (arm: ArmCounts | undefined): number =>
  Math.max(arm?.requests ?? 0, ...(arm?.latency ?? []).map(({ count }) => count));

/** A phase: from when to when, and both arms over exactly the same time. */
export type Phase = { since: number; until: number; canary: ArmCounts; stable: ArmCounts };

/** What is measured as it is now: saturation, PromQL, what a web hook says. */
export type Value = {
  metric: string;
  canary?: number;
  stable?: number;
  at: number;
  /** A web hook's or a Job's own; `running`: it will be there. */
  verdict?: 'pass' | 'fail' | 'unsure' | 'running';
  reason?: string;
};

/** What could not be learned, and since when; `why` completes “… for 3 min”. */
export type Unknown = { metric: string; why: string; since: number };

export type Evidence = { phases: Phase[]; values: Value[]; unknown: Unknown[] };

export type Verdict = 'pass' | 'fail' | 'unsure';

/** Why a metric got its verdict. */
export type FindingCode =
  /** pass: as good as stable as far as was asked; within its limits where there is nothing to compare with. */
  | 'no-worse'
  | 'within-limit'
  /** fail: worse than stable, or beyond a limit, beyond chance. */
  | 'regression'
  | 'limit'
  /** A web hook or a Job said so. */
  | 'told'
  /** unsure: no request yet, too few, not enough to tell, nothing known, no number. */
  | 'no-traffic'
  | 'few-requests'
  | 'undecided'
  /** unsure: a Job has yet to end. */
  | 'running'
  | 'unknown'
  | 'no-data';

/** What one metric says. Shares are of 1, durations in ms, saturation in percent. */
export type Finding = {
  kind: Verdict;
  code: FindingCode;
  unit: 'share' | 'ms' | 'percent' | 'number';
  canary?: number;
  stable?: number;
  /** The limit that was passed or kept. */
  limit?: number;
  /** An anytime-valid p: chance alone would ever show so much with at most this chance. */
  p?: number;
  /** Of the canary. */
  requests?: number;
  needs?: { requests?: number; ms?: number };
  problem?: string;
  /** How long nothing has been known. */
  unknownMs?: number;
};

/** How sure one test must be. */
export type Rigour = { falseRollback: number; falsePass: number; minimumRequests: number };

/** What is certain of what: fail beats all, and a pass needs all. */
export function worstOf(kinds: readonly Verdict[]): Verdict {
  if (kinds.includes('fail')) return 'fail';
  return kinds.length > 0 && kinds.every((kind) => kind === 'pass') ? 'pass' : 'unsure';
}

const sound = ({ requests, failures }: ArmCounts): boolean =>
  Number.isFinite(requests) && Number.isFinite(failures) && requests >= 0 && failures >= 0;

/** The phases whose counts can be ones; rounding may have made more failures than requests. */
export const soundPhases = (phases: readonly Phase[]): Phase[] =>
  phases
    .filter(({ canary, stable }) => sound(canary) && sound(stable))
    .map((phase) => {
      const [canary, stable] = [phase.canary, phase.stable].map((arm) => ({
        ...arm,
        failures: Math.min(arm.failures, arm.requests),
      }));
      return { ...phase, canary: canary ?? phase.canary, stable: stable ?? phase.stable };
    });
