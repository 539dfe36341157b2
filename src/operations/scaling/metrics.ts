import { z } from 'zod';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { Quantity } from '../../core/values.ts';
import { listOf, number } from './found.ts';

/** What a HorizontalPodAutoscaler goes by. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/ */

const share = /^(\d{1,4})\s*%$/;

/** A share of what its pods ask for (`70%`), an average a pod (`500m`, `300Mi`), or `off`. */
export const Goal = z
  .string()
  .refine(
    (goal) => goal === 'off' || Number(share.exec(goal)?.[1] ?? 0) > 0 || /^\d.*[a-zA-Z]$/.test(goal),
    'must be a share of the request such as 70%, an average a pod such as 500m or 300Mi, or off',
  )
  .refine(
    (goal) => goal === 'off' || share.test(goal) || Quantity.safeParse(goal).success,
    'is no Kubernetes quantity',
  );

/** A metric of any kind, as the API has it; what the cluster makes of it is its own business. */
export const Metrics = z
  .array(z.looseObject({ type: z.enum(['Resource', 'ContainerResource', 'Pods', 'Object', 'External']) }))
  .max(50)
  .describe('Metrics as autoscaling/v2 has them, such as custom and external ones');

/** The metric of a goal; undefined where it is off. */
export function resourceMetric(name: 'cpu' | 'memory', goal: string): JsonObject | undefined {
  if (goal === 'off') return undefined;
  const [, percent] = share.exec(goal) ?? [];
  const target: JsonObject =
    percent === undefined
      ? { type: 'AverageValue', averageValue: goal }
      : { type: 'Utilization', averageUtilization: Number(percent) };
  return { type: 'Resource', resource: { name, target } };
}

const sourceOf = (metric: JsonObject): Json | undefined => {
  const field = text(metric.type);
  return metric[`${field.charAt(0).toLowerCase()}${field.slice(1)}`];
};

/** What tells two metrics apart: `Resource cpu`, `External queue_length`. */
function keyOf(metric: JsonObject): string {
  const source = sourceOf(metric);
  const name = at(source, 'metric', 'name') ?? at(source, 'name');
  const of = [at(source, 'container'), at(source, 'describedObject', 'name'), at(source, 'metric', 'selector')];
  return JSON.stringify([metric.type, name, ...of]);
}

/** `live` with the wanted ones in the place of those that measure the same, and without those that are off. */
export function mergedMetrics(live: readonly JsonObject[], wanted: readonly JsonObject[], off: readonly string[]) {
  const replaced = new Set(wanted.map(keyOf));
  const kept = live.filter(
    (metric) =>
      !replaced.has(keyOf(metric)) &&
      !(metric.type === 'Resource' && off.includes(text(at(metric, 'resource', 'name')))),
  );
  return [...kept, ...wanted];
}

/** The goal of a resource in a list of metrics, as people write it. */
export function goalOf(metrics: readonly JsonObject[], name: 'cpu' | 'memory'): string | undefined {
  const found = metrics.find((metric) => metric.type === 'Resource' && at(metric, 'resource', 'name') === name);
  const target = at(found, 'resource', 'target');
  const percent = number(at(target, 'averageUtilization'));
  return percent === undefined ? text(at(target, 'averageValue')) || undefined : `${percent}%`;
}

function valueText(value: Json | undefined): string | undefined {
  if (!isObject(value)) return undefined;
  const percent = number(value.averageUtilization);
  if (percent !== undefined) return `${percent}%`;
  return text(value.averageValue) || text(value.value) || undefined;
}

/** What an autoscaler goes by, with what it measures now where it can: `cpu 42% of 70%`. */
export function metricTexts(hpa: JsonObject): string[] {
  const now = new Map(listOf(at(hpa, 'status', 'currentMetrics')).map((metric) => [keyOf(metric), metric]));
  return listOf(at(hpa, 'spec', 'metrics')).map((metric) => {
    const source = sourceOf(metric);
    const name = text(at(source, 'metric', 'name')) || text(at(source, 'name')) || text(metric.type);
    const current = now.get(keyOf(metric));
    const seen = valueText(current && at(sourceOf(current), 'current')) ?? '?';
    return `${name} ${seen} of ${valueText(at(source, 'target')) ?? '?'}`;
  });
}
