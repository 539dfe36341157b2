import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import { some } from '../../core/some.ts';
import { rolloutsIn, rolloutsPermission } from './list-known.ts';
import { byName, hasLabels, labelsText, list, nameIn } from './reading.ts';
import { showsEnvironment } from './shows-environment.ts';
import { missing, planWrites, runWrites, writeSteps } from './writes.ts';

const kindOf = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const;

const Count = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  z
    .string()
    .regex(/^(\d{1,4}|\d{1,2}%|100%)$/, 'must be a number of pods, or a share such as 50%')
    .meta({ examples: ['50%'] }),
);

const Input = z.strictObject({
  app: WorkloadRef,
  env: EnvRef,
  min: Count.optional().describe('So many pods at least stay'),
  max: Count.optional().describe('So many pods at most are away'),
});

const asAmount = (count: string | undefined): Json =>
  count === undefined ? null : count.endsWith('%') ? count : Number(count);

/** How many of `replicas` may be away; Kubernetes rounds shares of pods up, on both sides. */
function awayOf({ min, max }: { min?: string; max?: string }, replicas: number): number {
  const of = (count: string) =>
    count.endsWith('%') ? Math.ceil((Number.parseInt(count, 10) * replicas) / 100) : Number(count);
  return min === undefined ? of(max ?? '0') : Math.max(0, replicas - of(min));
}

async function plan({ on, place, signal }: PlanContext<'kube'>, { min, max }: z.output<typeof Input>) {
  if ((min === undefined) === (max === undefined))
    throw fault('BAD_INPUT', {
      problem: 'Give one of the two: min=, how many pods stay, or max=, how many may be away.',
    });
  const kube = on.kube(place.cluster);
  const { kind, namespace, workload: name } = place;
  const owner = { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace, name };
  const ref = { ...kindOf, namespace, name };
  const [live, there] = await Promise.all([kube.read(owner, signal), kube.read(ref, signal)]);
  if (!live) throw missing(owner);
  const selector = at(live, 'spec', 'selector');
  if (!isObject(selector))
    throw fault('BAD_INPUT', { problem: `${place.app} has no selector by which its pods are known.` });
  const given: JsonObject = {
    ...(min !== undefined && { minAvailable: asAmount(min) }),
    ...(max !== undefined && { maxUnavailable: asAmount(max) }),
  };
  // One of the two takes the place of the other.
  const patch: JsonObject = { spec: { minAvailable: asAmount(min), maxUnavailable: asAmount(max), selector } };
  const wish = there
    ? { kind: 'merge' as const, ref, patch }
    : { kind: 'apply' as const, manifest: { ...kindOf, metadata: { name, namespace }, spec: { ...given, selector } } };
  const planned = await planWrites(kube, [wish], signal);
  const replicas = Number(at(live, 'spec', 'replicas') ?? 1);
  const away = awayOf({ ...(min !== undefined && { min }), ...(max !== undefined && { max }) }, replicas);
  const rule = min === undefined ? `at most ${max} away` : `at least ${min} stay`;
  const warning =
    away === 0
      ? ': none may be evicted, so nodes with its pods can’t be drained'
      : `: ${away} of ${replicas} may be evicted at once`;
  return { summary: `PodDisruptionBudget/${name}: ${rule}${warning}`, ...planned };
}

export const pdbSet = defineOperation({
  name: 'pdb-set',
  summary: 'Say how many pods of an app must stay while nodes are drained (PodDisruptionBudget)',
  effect: 'change',
  input: Input,
  usage: '<app> in <env> min=<min> [max=<max>]',
  examples: ['web in staging min=1', 'web in staging max=25%'],
  needs: ['kube'],
  permissions: [
    'get deployments.apps,statefulsets.apps,daemonsets.apps',
    'get,create,patch poddisruptionbudgets.policy',
  ],
  steps: writeSteps,
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: (run) => runWrites(run),
});

function rowOf(budget: JsonObject, workloads: readonly JsonObject[]): string[] {
  const status = (field: string) => Number(at(budget, 'status', field) ?? 0);
  const [min, max] = [at(budget, 'spec', 'minAvailable'), at(budget, 'spec', 'maxUnavailable')];
  const labels = at(budget, 'spec', 'selector', 'matchLabels');
  const guarded = workloads.filter((workload) => hasLabels(workload, labels, 'spec', 'template'));
  const problem = list(at(budget, 'status', 'conditions')).find(({ status: its }) => its === 'False');
  const allowed = status('disruptionsAllowed');
  return [
    nameIn(budget),
    min === undefined ? `at most ${String(max ?? 0)} away` : `at least ${String(min)} stay`,
    `${status('currentHealthy')} of ${status('expectedPods')}, needs ${status('desiredHealthy')}`,
    allowed > 0 ? String(allowed) : `0${problem ? ` (${text(problem.message) || text(problem.reason)})` : ''}`,
    guarded.length > 0
      ? some(guarded.map((each) => `${text(each.kind)}/${nameIn(each)}`))
      : `${labelsText(labels)} (fits no workload)`,
  ];
}

export const pdbs = showsEnvironment({
  name: 'pdbs',
  summary: 'List PodDisruptionBudgets with how many evictions they allow now',
  permissions: [
    'list poddisruptionbudgets.policy',
    'list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
    rolloutsPermission,
  ],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const kube = run.on.kube(cluster);
    const [budgets, ...sights] = await Promise.all([
      kube.list({ ...kindOf, namespace }, signal),
      ...(['Deployment', 'StatefulSet', 'DaemonSet'] as const).map(async (kind) => [
        ...(await kube.look(kind, namespace, signal)).objects,
      ]),
      rolloutsIn(kube, namespace, signal),
    ]);
    return {
      kind: 'table' as const,
      title: `PodDisruptionBudgets in ${env}`,
      columns: ['Budget', 'Rule', 'Healthy', 'May be evicted', 'Guards'],
      rows: budgets.sort(byName).map((budget) => rowOf(budget, sights.flat())),
    };
  },
});
