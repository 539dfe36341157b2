import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { overlay } from '../../core/ownership.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Duration } from '../../core/values.ts';
import { workloadRef } from '../delivery/workload.ts';
import { doWrites, planWrites, type Wish } from '../kubernetes/writes.ts';
import { listOf, nameIn, refTo } from './found.ts';
import { Goal, goalOf, Metrics, mergedMetrics, resourceMetric } from './metrics.ts';
import { otherKeepers, ownsReplicas, releaseReplicas } from './release.ts';
import { autoscalerOf, checkRequests, checkScalable } from './scalable.ts';

const rangeForm = /^(\d{1,5})\s*(?:\.\.+|…|-|–)\s*(\d{1,5})$/;
const most = 1_000;
const noZero = 'only KEDA scales to zero';

const Range = z
  .string()
  .transform((given, context) => {
    const [, least = '', largest = ''] = rangeForm.exec(given.trim()) ?? [];
    const [min, max] = [Number(least), Number(largest)];
    const problem =
      least === ''
        ? 'must be the least and the most pods, such as 2..10'
        : min < 1
          ? `must begin at 1 or more: ${noZero}`
          : max < min
            ? `must end at ${min} or more`
            : max > most
              ? `must end at ${most} at most`
              : undefined;
    if (problem === undefined) return `${min}..${max}`;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  })
  .describe('The least and the most pods')
  .meta({ examples: ['2..10'] });

const Wait = Duration.refine((ms) => typeof ms === 'number' && ms <= 3_600_000, 'must be an hour at most');

const Fields = {
  cpu: Goal.optional().describe('A share of the request (70%), an average a pod (500m), or off'),
  memory: Goal.optional().describe('A share of the request (80%), an average a pod (300Mi), or off'),
  downAfter: Wait.optional().describe('Fewer pods only after it was quiet for so long, such as 5m'),
  upAfter: Wait.optional().describe('More pods only after so long, such as 30s'),
  metrics: Metrics.optional(),
  behavior: z.looseObject({}).optional().describe('How fast it scales, as autoscaling/v2 has it'),
};
const Input = z.strictObject({ app: WorkloadRef, env: EnvRef, range: Range, ...Fields });
type Input = z.output<typeof Input>;

const plainly = (value: unknown): JsonObject => {
  const copy: unknown = JSON.parse(JSON.stringify(value ?? {}));
  return isObject(copy) ? copy : {};
};

function metricsOf(input: Input, live: JsonObject | undefined): JsonObject[] {
  const given = { cpu: input.cpu, memory: input.memory };
  const goals = listOf((['cpu', 'memory'] as const).map((name) => resourceMetric(name, given[name] ?? 'off') ?? null));
  const off = (['cpu', 'memory'] as const).filter((name) => given[name] === 'off');
  const wanted: JsonObject[] = [...goals, ...(input.metrics ?? []).map(plainly)];
  const merged = mergedMetrics(listOf(at(live, 'spec', 'metrics')), wanted, off);
  // What Kubernetes itself would go by; said, so that the plan shows it.
  const usual = resourceMetric('cpu', '80%');
  return merged.length === 0 && usual && off.length === 0 ? [usual] : merged;
}

function behaviourOf({ behavior, downAfter, upAfter }: Input, live: JsonObject | undefined): JsonObject | undefined {
  const after = (ms: number) => ({ stabilizationWindowSeconds: Math.round(ms / 1_000) });
  const change: JsonObject = {
    ...(downAfter !== undefined && { scaleDown: after(downAfter) }),
    ...(upAfter !== undefined && { scaleUp: after(upAfter) }),
  };
  if (behavior === undefined && Object.keys(change).length === 0) return undefined;
  const merged = overlay(overlay(at(live, 'spec', 'behavior'), plainly(behavior)), change);
  return isObject(merged) ? merged : change;
}

function specOf(input: Input, live: JsonObject | undefined): JsonObject {
  const [min = 1, max = 1] = input.range.split('..').map(Number);
  const behavior = behaviourOf(input, live);
  const metrics = metricsOf(input, live);
  if (metrics.length === 0)
    throw fault('BAD_INPUT', { problem: 'It would have nothing left to go by. Use /ship autoscale off to end it.' });
  return { minReplicas: min, maxReplicas: max, metrics, ...(behavior && { behavior }) };
}

function wishOf(ref: ObjectRef, target: ObjectRef, spec: JsonObject, live: JsonObject | undefined): Wish {
  if (live) return { kind: 'merge', ref, patch: { spec } };
  const { apiVersion, kind, name } = target;
  const scaleTargetRef = { apiVersion, kind, name };
  const metadata = { name: ref.name, namespace: ref.namespace };
  return {
    kind: 'apply',
    manifest: { apiVersion: ref.apiVersion, kind: ref.kind, metadata, spec: { scaleTargetRef, ...spec } },
  };
}

/** Back to the range and goals of before; what was set over REST beyond them has no way back. */
function undoOf(input: Input, live: JsonObject | undefined): Pick<Draft, 'undo'> {
  const { app, env, cpu, memory } = input;
  if (!live) return { undo: { operation: 'autoscale-off', input: { app, env } } };
  if (input.metrics ?? input.behavior ?? input.downAfter ?? input.upAfter) return {};
  const metrics = listOf(at(live, 'spec', 'metrics'));
  const range = `${at(live, 'spec', 'minReplicas') ?? 1}..${at(live, 'spec', 'maxReplicas')}`;
  const goals = {
    ...(cpu !== undefined && { cpu: goalOf(metrics, 'cpu') ?? 'off' }),
    ...(memory !== undefined && { memory: goalOf(metrics, 'memory') ?? 'off' }),
  };
  return { undo: { operation: 'autoscale', input: { app, env, range, ...goals } } };
}

async function plan({ on, place, signal }: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const kube: Kube = on.kube(place.cluster);
  const target = workloadRef(place);
  checkScalable(target);
  const [live, hpa] = await Promise.all([kube.read(target, signal), autoscalerOf(kube, target, signal)]);
  if (!live) throw fault('NOT_DEPLOYED', place);
  const ref = refTo('HorizontalPodAutoscaler', target.namespace, hpa ? nameIn(hpa) : target.name);
  const spec = specOf(input, hpa);
  await checkRequests(kube, live, listOf(spec.metrics), signal);
  const { changes, ...planned } = await planWrites(kube, [wishOf(ref, target, spec, hpa)], signal);
  const given = ownsReplicas(live)
    ? [{ path: `${target.kind}/${target.name} spec.replicas (kept by)`, from: 'Shipmate', to: 'the autoscaler' }]
    : [];
  const goals = (['cpu', 'memory'] as const).flatMap((name) => {
    const goal = goalOf(listOf(spec.metrics), name);
    return goal === undefined ? [] : [`${name} ${goal}`];
  });
  const summary = [`${spec.minReplicas} to ${spec.maxReplicas} pods`, ...goals].join(', ');
  return { summary, ...planned, changes: [...changes, ...given], ...undoOf(input, hpa) };
}

/** @throws Fault BAD_INPUT in the words of the request, whose fields are not the operation's */
function rangeOf(min: number, max: number): string {
  if (max < min) throw fault('BAD_INPUT', { problem: `max: must be at least min, which is ${min}.` });
  return `${min}..${max}`;
}

const AutoscalerRequest = z.object({
  namespace: EnvRef,
  name: WorkloadRef,
  min: z.number().int().min(1, `must be 1 or more: ${noZero}`),
  max: z.number().int().max(most, `must be at most ${most}`),
  ...Fields,
});

export const autoscale = defineOperation({
  name: 'autoscale',
  summary: 'Let the number of pods follow the load',
  effect: 'change',
  input: Input,
  usage: '<app> <range> in <env> [cpu=<cpu>] [memory=<memory>] [downAfter=<downAfter>]',
  examples: ['web 2..10 cpu=70% in production', 'web 2..6 memory=300Mi downAfter=10m in staging'],
  routes: [
    route({
      method: 'PUT',
      path: '/deployments/:namespace/:name/autoscaler',
      summary: 'Autoscale a deployment',
      request: AutoscalerRequest,
      input: ({ namespace, name, min, max, ...rest }) => ({
        app: name,
        env: namespace,
        range: rangeOf(min, max),
        ...rest,
      }),
    }),
  ],
  needs: ['kube'],
  permissions: [
    'get,list,create,patch horizontalpodautoscalers.autoscaling',
    'get,patch deployments.apps,statefulsets.apps',
    'list limitranges',
  ],
  steps: ['write', 'release'],
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: async (run) => {
    const kube = run.on.kube(run.place.cluster);
    const ref = workloadRef(run.place);
    const objects = await run.step('write', (step) => doWrites(run, kube, step));
    const others = await run.step('release', async ({ signal }) => {
      await releaseReplicas(kube, ref, signal);
      const live = await kube.read(ref, signal);
      return live ? otherKeepers(live) : [];
    });
    const note =
      others.length > 0
        ? `${others.join(' and ')} also sets spec.replicas of ${ref.kind}/${ref.name}: take it out there, or it will set the count back each time.`
        : 'From now on the autoscaler alone counts the pods; deploys leave the number as it is.';
    return { kind: 'changed', objects: objects.length > 0 ? objects : [`${ref.kind}/${ref.name}`], note };
  },
});
