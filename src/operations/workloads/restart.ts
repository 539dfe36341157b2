import { z } from 'zod';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { rollLimits, rollPermissions, rollSteps, settle } from '../delivery/roll.ts';
import { foresee } from '../kubernetes/foresee.ts';
import { doWrites } from '../kubernetes/writes.ts';
import { type Found, refuseKind, refusePaused, workloadOf } from './find.ts';
import { everyRolling, workloadRoutes } from './routes.ts';
import { imagesOfTemplate } from './to-revision.ts';
import { unstick, untilNoticed } from './unstick.ts';

/** What kubectl writes too, so that both see when it was restarted last. */
const annotation = 'kubectl.kubernetes.io/restartedAt';

/** Argo Rollouts restarts its pods itself, within its own bounds of availability. */
function restartPatch(kind: string, when: string): JsonObject {
  if (kind === 'Rollout') return { spec: { restartAt: when } };
  return { spec: { template: { metadata: { annotations: { [annotation]: when } } } } };
}

const lastRestart = ({ ref, live }: Found) =>
  ref.kind === 'Rollout'
    ? { path: 'spec.restartAt', from: at(live, 'spec', 'restartAt') }
    : {
        path: `spec.template.metadata.annotations.${annotation}`,
        from: at(live, 'spec', 'template', 'metadata', 'annotations', annotation),
      };

async function plan({ on, place, now, signal }: PlanContext<'kube'>): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const { workload, env } = place;
  refuseKind('restart', found, {
    Job: { why: 'it runs once, to its end', instead: 'Make a new Job, or run its CronJob.' },
    CronJob: { why: 'it has no pods of its own', instead: `Run it now: /ship job run ${workload} in ${env}` },
  });
  refusePaused(found, place);
  const { ref, live } = found;
  // Any time will do to ask whether it would be let: the real one is when the step begins, and stays the same when it is repeated.
  const patch = restartPatch(ref.kind, '2026-01-01T00:00:00Z');
  const dryRun = async () => ({ after: await kube.merge(ref, patch, { dryRun: true }, signal) });
  const { answer } = await foresee(kube, { ref, wanted: patch, seen: live }, dryRun, signal);
  const template = at((found.template ?? found).live, 'spec', 'template');
  const images = isObject(template) ? ` of ${imagesOfTemplate(template)}` : '';
  const replicas = at(live, 'spec', 'replicas') ?? at(live, 'status', 'desiredNumberScheduled');
  const stuck = await unstick(kube, found, now(), signal);
  return {
    summary: `${replicas ?? 'all'} pods${images} are replaced, a few at a time`,
    changes: [{ ...lastRestart(found), to: 'when it begins' }, ...stuck.changes],
    takesOver: [],
    answer,
    // What is restarted; nothing of it is applied.
    manifest: { apiVersion: ref.apiVersion, kind: ref.kind, metadata: { name: ref.name, namespace: ref.namespace } },
    ...(stuck.writes && { writes: stuck.writes }),
  };
}

export const restart = defineOperation({
  name: 'restart',
  summary: 'Replace all pods of an app or workload, a few at a time',
  effect: 'change',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web in staging', 'statefulset/db in staging'],
  routes: workloadRoutes({ method: 'POST', path: '/restart', summary: 'Restart', kinds: everyRolling }),
  needs: ['kube'],
  permissions: rollPermissions,
  steps: rollSteps,
  limits: rollLimits,
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: async (run) => {
    const kube = run.on.kube(run.place.cluster);
    const ref = refOf(run.plan.manifest ?? {});
    await run.step('apply', async (step) => {
      const when = new Date(step.startedAt).toISOString().replace(/\.\d+Z$/, 'Z');
      const marked = { metadata: { annotations: { [runAnnotation]: run.id } }, ...restartPatch(ref.kind, when) };
      await kube.merge(ref, marked, {}, step.signal);
      step.log(`restarted ${ref.namespace}/${ref.name}`);
      if (run.plan.writes) await untilNoticed(kube, ref, step.signal);
      await doWrites(run, kube, step);
    });
    return await run.step('settle', (step) => settle(run, ref, step));
  },
});
