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

/** What could not be done, as a reason to go back. */
export const backFrom = ({ detail, trouble }: Pick<Back, 'detail' | 'trouble'>): Back => ({
  reason: trouble ? 'broken' : 'fault',
  detail,
  ...(trouble && { trouble }),
});

/** What a pod does not get over by itself. */
const lasting: readonly PodTrouble['code'][] = ['crash-loop', 'image-pull', 'bad-config'];

/** The reason to go back that a workload's pods give, if they do. */
export const brokenBy = (trouble: PodTrouble | undefined, detail: string): Back | undefined =>
  trouble && lasting.includes(trouble.code) ? { reason: 'broken', detail, trouble } : undefined;
