import type { Actor } from '../../../core/actor.ts';
import type { BackReason } from '../../../core/canary.ts';
import type { PodTrouble } from '../../../core/report.ts';
import type { Steer } from '../../../core/steer.ts';

/** Why and by whom it goes back to stable. */
export type Back = { reason: BackReason; detail: string; by?: Actor; trouble?: PodTrouble };

/** Who wants it to go back, if anybody does. */
export const abortedBy = (steers: readonly Steer[]): Back | undefined => {
  const steer = steers.find(({ wish }) => wish.kind === 'abort');
  if (steer?.wish.kind !== 'abort') return undefined;
  return { reason: 'aborted', detail: steer.wish.reason ?? '', by: steer.actor };
};
