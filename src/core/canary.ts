import type { Stage } from './rollout.ts';
import type { Steer } from './steer.ts';

/**
 * What a canary does next, as a pure function of what is known. It is asked again and again (level-triggered): whoever asks
 * may have been killed in between, and asks the same.
 */

/** Why it goes back to stable. */
export type BackReason = 'aborted' | 'broken' | 'regression' | 'unknown' | 'fault';

/** What the analysis says now. `open`: as far as is known, the next share may come. */
export type Gate = 'open' | 'fail' | 'hold' | 'unknown';

export type StageLook = {
  stage: Stage;
  now: number;
  /** When the share was reached. */
  since: number;
  /** Whether it was paused when the stage began. */
  paused: boolean;
  /** What people have said since the stage before. */
  steers: readonly Steer[];
  gate: Gate;
};

export type StageNext =
  | { kind: 'on'; full: boolean }
  | { kind: 'weight'; weight: number }
  | { kind: 'back'; reason: BackReason }
  | { kind: 'hold'; why: 'baking' | 'paused' | 'manual' | 'analysis'; leftMs: number };

/** How long of `since` to `now` nothing was paused, and whether it is paused now. */
export function unpaused({ steers, paused, since, now }: Pick<StageLook, 'steers' | 'paused' | 'since' | 'now'>) {
  let [ms, from, held] = [0, since, paused];
  for (const { at, wish } of steers) {
    if (wish.kind !== 'pause' && wish.kind !== 'resume') continue;
    const when = Math.max(at, since);
    if (!held) ms += when - from;
    from = when;
    held = wish.kind === 'pause';
  }
  return { ms: held ? ms : ms + (now - from), held };
}

/** Whether it is paused after what was said; who promotes it lets it go on. */
export function isPaused(before: boolean, steers: readonly Steer[]): boolean {
  const last = steers.findLast(({ wish }) => ['pause', 'resume', 'promote'].includes(wish.kind));
  return last ? last.wish.kind === 'pause' : before;
}

/**
 * An abort beats everything, and what has failed goes back also while it is paused. Of several people who say
 * different things the last one counts.
 */
export function nextOf(look: StageLook): StageNext {
  const { stage, steers, gate } = look;
  if (steers.some(({ wish }) => wish.kind === 'abort')) return { kind: 'back', reason: 'aborted' };
  if (gate === 'fail') return { kind: 'back', reason: 'regression' };
  const word = steers.findLast(({ wish }) => wish.kind === 'promote' || wish.kind === 'weight')?.wish;
  if (word?.kind === 'promote') return { kind: 'on', full: word.full };
  if (word?.kind === 'weight') return { kind: 'weight', weight: word.weight };
  const { ms, held } = unpaused(look);
  if (held) return { kind: 'hold', why: 'paused', leftMs: 0 };
  if (stage.manual) return { kind: 'hold', why: 'manual', leftMs: 0 };
  if (gate === 'unknown') return { kind: 'back', reason: 'unknown' };
  const leftMs = Math.max(0, (stage.bake ?? 0) - ms);
  if (leftMs > 0) return { kind: 'hold', why: 'baking', leftMs };
  return gate === 'open' ? { kind: 'on', full: false } : { kind: 'hold', why: 'analysis', leftMs: 0 };
}

/**
 * How many pods a share takes. With a router: as many of a hundred as it gets of the traffic, rounded up, so that no share
 * is served by fewer pods than stable would have for it. Without one the pods are the share: `canary / (stable + canary)`,
 * rounded down but for the first pod, and never more than stable has.
 */
export function podsFor(weight: number, full: number, byReplicas: boolean): number {
  if (full <= 0) return byReplicas ? 0 : 1;
  if (!byReplicas) return Math.max(1, Math.ceil((full * weight) / 100));
  if (weight <= 0) return 0;
  if (weight >= 50) return full;
  return Math.min(full, Math.max(1, Math.floor((full * weight) / (100 - weight))));
}
