import { at, digestOf, isObject, type JsonObject, text } from '../../../core/json.ts';
import type { Kube } from '../../../core/kube.ts';
import { list } from '../../../core/observed.ts';
import type { Change } from '../../../core/plan.ts';
import type { RolloutPlan } from '../../../core/rollout.ts';

/** CronJobs that lend their templates to the Jobs of a canary: what they run is approved with the plan. */

/** What a CronJob makes its Jobs of, and what tells it from another version of that; undefined where there is none. */
export async function lentBy(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<{ spec: JsonObject; digest: string } | undefined> {
  const ref = { apiVersion: 'batch/v1', kind: 'CronJob', namespace, name };
  const spec = at(await kube.read(ref, signal), 'spec', 'jobTemplate', 'spec');
  return isObject(spec) ? { spec, digest: digestOf(spec) } : undefined;
}

const lendersOf = ({ smokeTest, analysis }: Pick<RolloutPlan, 'smokeTest' | 'analysis'>): string[] => {
  const metrics = analysis?.template.metrics ?? [];
  const jobs = [smokeTest?.job, ...metrics.filter((metric) => metric.kind === 'job')];
  return [...new Set(jobs.flatMap((job) => job?.cronJob ?? []))];
};

const imagesOf = (spec: JsonObject) =>
  list(at(spec, 'template', 'spec', 'containers'))
    .map(({ image }) => text(image))
    .join(', ');

/** The CronJobs that a canary's checks are made of, as they are now. */
export async function planCronJobs(
  kube: Kube,
  namespace: string,
  rollout: Pick<RolloutPlan, 'smokeTest' | 'analysis'>,
  signal: AbortSignal,
): Promise<{ cronJobs?: Record<string, string>; changes: Change[]; warnings: string[] }> {
  const names = lendersOf(rollout);
  const found = await Promise.all(
    names.map(async (name) => ({ name, lent: await lentBy(kube, namespace, name, signal) })),
  );
  const there = found.flatMap(({ name, lent }) => (lent ? [{ name, ...lent }] : []));
  return {
    ...(names.length > 0 && { cronJobs: Object.fromEntries(there.map(({ name, digest }) => [name, digest])) }),
    changes: there.map(({ name, spec }) => ({ path: `Job of CronJob/${name}`, to: imagesOf(spec) })),
    warnings: found
      .filter(({ lent }) => !lent)
      .map(({ name }) => `There is no CronJob/${name}, so what it is to check will not be known.`),
  };
}
