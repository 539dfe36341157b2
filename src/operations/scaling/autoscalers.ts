import { z } from 'zod';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { cpuText, memoryText } from './amounts.ts';
import { condition, listIfThere, listOf, nameIn } from './found.ts';
import { metricTexts } from './metrics.ts';

const columns = ['What', 'Scales', 'Pods', 'Range', 'By', 'How it does'];

const targetText = (reference: unknown) => {
  const target = isObject(reference) ? reference : {};
  return `${text(target.kind) || 'Deployment'}/${text(target.name)}`;
};

/** What the conditions of a HorizontalPodAutoscaler mean, the worst of them first. */
export function hpaState(hpa: JsonObject): string {
  const [able, active, limited] = ['AbleToScale', 'ScalingActive', 'ScalingLimited'].map((type) =>
    condition(hpa, type),
  );
  const reason = text(active?.reason);
  if (able?.status === 'False') return `cannot scale: ${text(able.message)}`;
  if (active?.status === 'False') {
    if (reason === 'ScalingDisabled') return 'rests: its target has 0 pods';
    const what = reason.startsWith('FailedGet') ? 'cannot read metrics' : `does not scale (${reason})`;
    return `${what}: ${text(active.message)}`;
  }
  if (limited?.status === 'True' && limited.reason === 'TooManyReplicas') return 'at its most, and would like more';
  if (limited?.status === 'True' && limited.reason === 'TooFewReplicas') return 'at its least';
  return active === undefined ? 'new: nothing measured yet' : 'well';
}

function hpaRow(hpa: JsonObject): string[] {
  const [now, wanted] = [at(hpa, 'status', 'currentReplicas') ?? '?', at(hpa, 'status', 'desiredReplicas') ?? 0];
  return [
    `HPA ${nameIn(hpa)}`,
    targetText(at(hpa, 'spec', 'scaleTargetRef')),
    wanted === now || wanted === 0 ? `${now}` : `${now} → ${wanted}`,
    `${at(hpa, 'spec', 'minReplicas') ?? 1}..${at(hpa, 'spec', 'maxReplicas')}`,
    metricTexts(hpa).join(', '),
    hpaState(hpa),
  ];
}

/** What a VerticalPodAutoscaler recommends for each container: `web 250m/300Mi`. */
export function recommendations(vpa: JsonObject): string[] {
  return listOf(at(vpa, 'status', 'recommendation', 'containerRecommendations')).map((each) => {
    const cpu = text(at(each, 'target', 'cpu'));
    const memory = text(at(each, 'target', 'memory'));
    return `${text(each.containerName)} ${cpu === '' ? '–' : cpuText(cpu)}/${memory === '' ? '–' : memoryText(memory)}`;
  });
}

function vpaRow(vpa: JsonObject): string[] {
  const advice = recommendations(vpa);
  const mode = text(at(vpa, 'spec', 'updatePolicy', 'updateMode')) || 'Auto';
  const state = advice.length > 0 ? `recommends ${advice.join(', ')}` : 'no recommendation yet';
  return [`VPA ${nameIn(vpa)}`, targetText(at(vpa, 'spec', 'targetRef')), '', '', `mode ${mode}`, state];
}

function kedaState(scaled: JsonObject): string {
  const annotations = at(scaled, 'metadata', 'annotations');
  const fixed = at(annotations, 'autoscaling.keda.sh/paused-replicas');
  if (fixed !== undefined) return `paused at ${text(fixed)} pods`;
  const paused = at(annotations, 'autoscaling.keda.sh/paused');
  if (paused !== undefined && paused !== 'false') return 'paused';
  const ready = condition(scaled, 'Ready');
  if (ready?.status === 'False') return `does not work: ${text(ready.message)}`;
  return condition(scaled, 'Active')?.status === 'True' ? 'active' : 'idle';
}

function kedaRow(scaled: JsonObject): string[] {
  const triggers = listOf(at(scaled, 'spec', 'triggers')).map(({ type }) => text(type));
  const range = `${at(scaled, 'spec', 'minReplicaCount') ?? 0}..${at(scaled, 'spec', 'maxReplicaCount') ?? 100}`;
  const target = targetText(at(scaled, 'spec', 'scaleTargetRef'));
  return [`KEDA ${nameIn(scaled)}`, target, '', range, triggers.join(', '), kedaState(scaled)];
}

export const autoscalers = defineOperation({
  name: 'autoscalers',
  summary: 'Show what scales by itself, by what, and how it does',
  effect: 'read',
  input: z.strictObject({ env: EnvRef }),
  usage: 'in <env>',
  examples: ['in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/autoscalers/:namespace',
      summary: 'Autoscalers of a namespace: HPA, VPA, KEDA',
      request: z.object({ namespace: EnvRef }),
      input: ({ namespace }) => ({ env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: [
    'list horizontalpodautoscalers.autoscaling',
    'list verticalpodautoscalers.autoscaling.k8s.io',
    'list scaledobjects.keda.sh',
  ],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async ({ site }) => ({ summary: `autoscalers in ${site.env}`, changes: [], takesOver: [] }),
  run: async (run) => {
    const kube = run.on.kube(run.site.cluster);
    return await run.step('read', async ({ signal }) => {
      const list = (kind: 'HorizontalPodAutoscaler' | 'VerticalPodAutoscaler' | 'ScaledObject') =>
        listIfThere(kube, kind, run.site.namespace, signal);
      const [hpas, vpas, scaled] = await Promise.all([
        list('HorizontalPodAutoscaler'),
        list('VerticalPodAutoscaler'),
        list('ScaledObject'),
      ]);
      const rows = [...(hpas ?? []).map(hpaRow), ...(vpas ?? []).map(vpaRow), ...(scaled ?? []).map(kedaRow)];
      const none = rows.length === 0 && {
        note: `Nothing scales by itself in ${run.site.env}. /ship autoscale changes that.`,
      };
      return { kind: 'table' as const, title: `Autoscalers in ${run.site.env}`, columns, rows, ...none };
    });
  },
});
