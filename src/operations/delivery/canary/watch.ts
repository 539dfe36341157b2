import type { StepContext } from '../../../core/operation.ts';
import { gateOf } from './gate.ts';
import { type Kit, lookMs, tryUntil } from './kit.ts';
import { abortedBy, type Back, brokenBy } from './reasons.ts';

/** After the promotion a regression still goes back by itself; people may end the watch, or go back. */
export async function watchAfter(kit: Kit, heard: number, step: StepContext): Promise<{ back?: Back; said?: string }> {
  const { run, kube, rollout, stable } = kit;
  const until = step.startedAt + rollout.watchMs;
  for (;;) {
    const all = await step.steers();
    const steers = all.filter(({ n }) => n > heard);
    const aborted = abortedBy(steers);
    if (aborted) return { back: aborted };
    const now = run.now();
    if (steers.some(({ wish }) => wish.kind === 'promote') || now >= until) return {};
    let back: Back | undefined;
    await tryUntil(kit, step, { deadline: now, heard: all.length }, async (signal) => {
      const live = await kube.workload(stable, signal);
      back = brokenBy(live?.trouble, 'its pods don’t stay up');
      const gated = await gateOf(
        kit,
        [{ weight: 100, since: step.startedAt, until: now }],
        { strict: false, now, after: true, unknown: [] },
        signal,
      );
      if (gated.gate === 'fail') back = { reason: 'regression', detail: gated.said ?? '' };
      return { kind: 'done' };
    });
    if (back) return { back };
    step.note(`watched for another ${Math.ceil((until - now) / 1_000)} s`);
    await step.rest(Math.min(lookMs, Math.max(100, until - run.now())), all.length);
  }
}
