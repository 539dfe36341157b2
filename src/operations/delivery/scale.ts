import { z } from 'zod';
import { at } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { AppRef, EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { calledBy, refuseKind, workloadOf } from '../workloads/find.ts';
import { ReplicaWish, replicasOf } from '../workloads/replica-wish.ts';
import { refuseAutoscaled } from '../workloads/scaler.ts';
import { planChange } from './change.ts';
import { roll, rollLimits, rollPermissions, rollSteps } from './roll.ts';

async function plan({ on, place, signal }: PlanContext<'kube'>, wish: ReplicaWish): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const { app, env } = place;
  refuseKind('scale', found, {
    DaemonSet: {
      why: 'it runs one pod on each node that fits',
      instead: 'Choose its nodes instead (nodeSelector, labels of nodes).',
    },
    Job: { why: 'how often it runs is fixed when it is made', instead: 'Run it again with other completions.' },
    CronJob: { why: 'it makes Jobs and has no pods of its own', instead: `/ship job run ${place.workload} in ${env}` },
  });
  const now = Number(at(found.live, 'spec', 'replicas') ?? 1);
  const replicas = replicasOf(now, wish);
  const who = { ...place, app: calledBy(place) };
  const [{ planned }] = await Promise.all([
    planChange(kube, found, { spec: { replicas } }, signal),
    refuseAutoscaled(kube, found.ref, who, { now, to: replicas }, signal),
  ]);
  const asked = typeof wish === 'string' ? ` (${wish})` : '';
  return {
    summary: `${now} → ${replicas} replicas${asked}`,
    ...planned,
    undo: { operation: 'scale', input: { app, env, replicas: now } },
  };
}

export const scale = defineOperation({
  name: 'scale',
  summary: 'Change how many replicas an app or workload runs',
  effect: 'change',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef, replicas: ReplicaWish }),
  usage: '<app> to <replicas> in <env>',
  examples: ['web to 5 in production', 'web to +2 in production', 'statefulset/db to 50% in staging'],
  routes: [
    route({
      method: 'PUT',
      path: '/deployments/:namespace/:name/scale',
      summary: 'Scale a deployment',
      request: z.object({ namespace: EnvRef, name: AppRef, replicas: ReplicaWish }),
      input: ({ name, namespace, replicas }) => ({ app: name, env: namespace, replicas }),
    }),
    route({
      method: 'PUT',
      path: '/statefulsets/:namespace/:name/scale',
      summary: 'Scale a StatefulSet',
      request: z.object({ namespace: EnvRef, name: AppRef, replicas: ReplicaWish }),
      input: ({ name, namespace, replicas }) => ({ app: `statefulset/${name}`, env: namespace, replicas }),
    }),
  ],
  needs: ['kube'],
  permissions: [...rollPermissions, 'list horizontalpodautoscalers.autoscaling,scaledobjects.keda.sh'],
  steps: rollSteps,
  limits: rollLimits,
  target: ({ app, env }) => ({ app, env }),
  plan: (context, { replicas }) => plan(context, replicas),
  run: (run) => roll(run),
});
