import { fault } from '../../core/errors.ts';
import { at } from '../../core/json.ts';
import type { Permission, RunContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { containersOf, workloadRef } from './workload.ts';

/** The steps of every operation that changes a Deployment and follows it until its pods are ready. */
export const rollSteps = ['apply', 'settle'] as const;
/** The environment's rolloutTimeoutSeconds ends a rollout; it may be a day. */
export const rollLimits = { run: 26 * 3_600_000, steps: { settle: 25 * 3_600_000 } };

/** What it takes to see how workloads of apps do. */
export const seePermissions: readonly Permission[] = [
  'get,list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
  'list,watch replicasets.apps,pods',
  'get pods/log',
];
/** What it takes to change one and follow it. */
export const rollPermissions: readonly Permission[] = [
  ...seePermissions,
  'patch deployments.apps,statefulsets.apps,daemonsets.apps',
];

/** Applies the plan's manifest and watches the rollout to its end. */
export async function roll(run: RunContext<'kube', (typeof rollSteps)[number]>): Promise<Report> {
  const { manifest, takesOver } = run.plan;
  if (!manifest) throw fault('INTERNAL', { problem: 'a plan without a manifest', run: run.id });
  const kube = run.on.kube(run.place.cluster);
  const ref = workloadRef(run.place);
  await run.step('apply', async ({ log, signal }) => {
    await kube.apply(manifest, { run: run.id, force: takesOver.length > 0 }, signal);
    const [container] = containersOf(manifest);
    const image = at(container, 'image');
    log(`applied to ${ref.namespace}/${ref.name}${typeof image === 'string' ? `: ${image}` : ''}`);
  });
  return await run.step('settle', async ({ startedAt, note, signal }) => {
    const deadline = startedAt + run.place.rolloutTimeoutSeconds * 1_000;
    const seen = (count: { replicas: number; updated: number; ready: number }) =>
      note(`${count.ready} of ${count.replicas} ready, ${count.updated} updated`);
    const end = await kube.follow(ref, { run: run.id, deadline, seen }, signal);
    const seconds = Math.round((run.now() - startedAt) / 100) / 10;
    const { replicas, ready } = end;
    switch (end.kind) {
      case 'complete':
        return { kind: 'rolled-out', replicas, ready, seconds };
      case 'failed':
        return { kind: 'rollout-failed', replicas, ready, trouble: end.trouble };
      case 'timed-out':
        return { kind: 'rollout-timed-out', replicas, ready, trouble: end.trouble, seconds };
      case 'superseded':
        return { kind: 'superseded', ...(end.by !== undefined && { by: end.by }) };
      default:
        return end satisfies never;
    }
  });
}
