import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { condition, list, number } from '../../core/observed.ts';
import { type Find, type Finding, kubectl, kubectlName, nameOf, sentence } from './finding.ts';
import type { Picture } from './picture.ts';

const hits = (selector: JsonObject, labels: JsonObject) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

function budgetsOf({ budgets, template }: Picture): JsonObject[] {
  const labels = at(template, 'metadata', 'labels');
  return budgets.filter((budget) => {
    const selector = at(budget, 'spec', 'selector', 'matchLabels');
    return isObject(selector) && isObject(labels) && hits(selector, labels);
  });
}

/** All pods are well, and still the budget lets none of them go: a node can't be drained. */
export const undrainable: Find = (picture): Finding | undefined => {
  const tight = budgetsOf(picture).find(({ status }) => {
    const of = (field: string) => number(at(status, field));
    const healthy = of('currentHealthy') >= of('expectedPods') && of('expectedPods') > 0;
    return healthy && of('disruptionsAllowed') === 0;
  });
  if (!tight) return undefined;
  const of = (field: string) => number(at(tight, 'status', field));
  const more = of('desiredHealthy') + 1;
  return {
    code: 'disruption-budget',
    what: 'none of its pods may be moved, so a node can’t be drained',
    cause: `The PodDisruptionBudget ${nameOf(tight)} wants ${of('desiredHealthy')} up, and there are ${of('currentHealthy')}.`,
    remedy: `Run at least ${more} pods, or let the budget allow one to be away:`,
    command: kubectl(picture, 'scale', kubectlName(picture), `--replicas=${more}`),
    next: [
      {
        label: `Scale to ${more}`,
        operation: 'scale',
        input: { app: picture.place.app, env: picture.place.env, replicas: more },
      },
    ],
    risk: true,
  };
};

function autoscalersOf({ autoscalers, place }: Picture): JsonObject[] {
  return autoscalers.filter((scaler) => {
    const target = at(scaler, 'spec', 'scaleTargetRef');
    return at(target, 'kind') === place.kind && at(target, 'name') === place.workload;
  });
}

/** An autoscaler that does not scale. */
export const autoscalerBlind: Find = (picture): Finding | undefined => {
  for (const scaler of autoscalersOf(picture))
    for (const type of ['AbleToScale', 'ScalingActive']) {
      const found = condition(scaler, type);
      if (found?.status !== 'False' || found.reason === 'ScalingDisabled') continue;
      const missing = /metrics\.k8s\.io/.test(text(found.message));
      return {
        code: 'autoscaler',
        what: `the autoscaler ${nameOf(scaler)} can’t ${type === 'AbleToScale' ? 'scale it' : 'read its metrics'}`,
        cause: sentence(text(found.message)),
        remedy: missing
          ? 'See whether the metrics server runs and answers:'
          : 'Give the pods the requests that the metrics are measured by, or correct the metric:',
        command: missing
          ? 'kubectl get apiservices v1beta1.metrics.k8s.io'
          : kubectl(picture, 'describe', 'horizontalpodautoscaler', nameOf(scaler)),
        risk: true,
      };
    }
  return undefined;
};

/** An autoscaler that would like more than it may have. */
export const autoscalerAtMost: Find = (picture): Finding | undefined => {
  const full = autoscalersOf(picture).find((scaler) => {
    const limited = condition(scaler, 'ScalingLimited');
    return limited?.status === 'True' && limited.reason === 'TooManyReplicas';
  });
  if (!full) return undefined;
  const most = number(at(full, 'spec', 'maxReplicas'));
  const metrics = list(at(full, 'status', 'currentMetrics')).map((metric) => text(at(metric, 'resource', 'name')));
  return {
    code: 'autoscaler-at-most',
    what: `the autoscaler ${nameOf(full)} is at its most`,
    cause: `It would like more than ${most} pods${metrics.some(Boolean) ? ` by ${metrics.filter(Boolean).join(', ')}` : ''}, and may not have them.`,
    remedy: 'Raise maxReplicas, or find out what the load is:',
    command: kubectl(picture, 'patch', `hpa/${nameOf(full)}`, '-p', `{"spec":{"maxReplicas":${most * 2}}}`),
    risk: true,
  };
};
