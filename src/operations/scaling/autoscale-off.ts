import { z } from 'zod';
import { at, type JsonObject } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { workloadRef } from '../delivery/workload.ts';
import { missing, planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { listIfThere, listOf, nameIn, refTo } from './found.ts';
import { goalOf, metricTexts } from './metrics.ts';
import { autoscalerOf } from './scalable.ts';

/** The way back, where all that it went by can be said again. */
function undoOf(hpa: JsonObject, { app, env }: { app: string; env: string }): Pick<Draft, 'undo'> {
  const metrics = listOf(at(hpa, 'spec', 'metrics'));
  const [cpu, memory] = [goalOf(metrics, 'cpu'), goalOf(metrics, 'memory')];
  const said = [cpu, memory].filter((goal) => goal !== undefined).length;
  const behaves = at(hpa, 'spec', 'behavior') !== undefined;
  if (said !== metrics.length || said === 0 || behaves) return {};
  const range = `${at(hpa, 'spec', 'minReplicas') ?? 1}..${at(hpa, 'spec', 'maxReplicas')}`;
  const goals = { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) };
  return { undo: { operation: 'autoscale', input: { app, env, range, ...goals } } };
}

export const autoscaleOff = defineOperation({
  name: 'autoscale-off',
  summary: 'End the autoscaling of an app; it keeps as many pods as it has',
  effect: 'change',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web in staging'],
  needs: ['kube'],
  permissions: ['get,list,delete horizontalpodautoscalers.autoscaling', 'get deployments.apps,statefulsets.apps'],
  steps: writeSteps,
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ on, place, signal }, input) => {
    const kube = on.kube(place.cluster);
    const target = workloadRef(place);
    const [live, hpa] = await Promise.all([kube.read(target, signal), autoscalerOf(kube, target, signal)]);
    const ref = refTo('HorizontalPodAutoscaler', target.namespace, hpa ? nameIn(hpa) : target.name);
    if (!hpa) {
      const others = await listIfThere(kube, 'HorizontalPodAutoscaler', target.namespace, signal);
      throw missing(ref, didYouMean(target.name, (others ?? []).map(nameIn)));
    }
    const planned = await planWrites(kube, [{ kind: 'remove', ref }], signal);
    const now = at(live, 'spec', 'replicas') ?? at(hpa, 'status', 'currentReplicas') ?? '?';
    const summary = `no more by ${metricTexts(hpa).join(', ')}: stays at ${now} pods`;
    return { summary, ...planned, ...undoOf(hpa, input) };
  },
  run: (run) => runWrites(run, 'It keeps as many pods as it has now; /ship scale changes that.'),
});
