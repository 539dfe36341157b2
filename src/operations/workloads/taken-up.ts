import { setTimeout as sleep } from 'node:timers/promises';
import { type Kube, type ObjectRef, refOfWrite } from '../../core/kube.ts';
import { countOf, isNoticed, isUnheard, unheardMs } from '../../core/observed.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { runWrites } from '../kubernetes/writes.ts';

const ms = { again: 250, most: 60_000 };

/**
 * Touches a Rollout whose controller does not take up a change; see docs/peers.md. What comes just while Argo writes can be
 * lost to it for good: it puts its own older version back into what it sees
 * (https://github.com/argoproj/argo-rollouts/issues/4073, and #4694 of a promotion). Any later change makes it look again.
 */
export function touch(kube: Kube, ref: ObjectRef, now: number, { log, signal }: StepContext): void {
  if (ref.kind !== 'Rollout') return;
  const annotations = { 'shipmate.dev/touched': new Date(now).toISOString() };
  log(`${ref.kind}/${ref.name} is touched: Argo Rollouts has not taken up the change`);
  // Where that fails the change stays unheard, and the end of the wait tells so.
  kube.merge(ref, { metadata: { annotations } }, {}, signal).catch(() => {});
}

/** Waits until the controller acts on what was written; undefined once it does. */
async function untilTakenUp(
  kube: Kube,
  ref: ObjectRef,
  now: () => number,
  step: StepContext,
): Promise<Report | undefined> {
  for (let touchedAt = step.startedAt; ; ) {
    const live = await kube.read(ref, step.signal);
    if (!live || (isNoticed(live) && !isUnheard(live))) return undefined;
    const { replicas, ready } = countOf(live);
    const trouble = { code: 'unheard' as const, detail: '', logs: [] };
    const seconds = Math.round((now() - step.startedAt) / 1_000);
    if (now() - step.startedAt >= ms.most) return { kind: 'rollout-timed-out', replicas, ready, trouble, seconds };
    if (now() - touchedAt >= unheardMs) {
      touchedAt = now();
      touch(kube, ref, touchedAt, step);
    }
    if (seconds >= 2) step.note(`waits until the controller takes it up, for ${seconds} s now`);
    await sleep(ms.again, undefined, { signal: step.signal });
  }
}

export const takenUpSteps = ['write', 'observe'] as const;

/** Does the plan's writes, and is done once the workload's controller acts on them: only then is what `note` says so. */
export async function writeTakenUp(
  run: RunContext<'kube', (typeof takenUpSteps)[number]>,
  note: string,
): Promise<Report> {
  const written = await runWrites(run, note);
  const [write] = run.plan.writes ?? [];
  if (!write) return written;
  const unheard = await run.step('observe', async (step) =>
    untilTakenUp(run.on.kube(run.site.cluster), refOfWrite(write), run.now, step),
  );
  return unheard ?? written;
}
