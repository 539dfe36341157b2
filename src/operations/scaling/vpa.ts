import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { defineOperation } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import { containersOf, workloadRef } from '../delivery/workload.ts';
import { missing, planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { cpuText, memoryText } from './amounts.ts';
import { condition, listOf, nameIn, pointsTo, refTo } from './found.ts';

/** What people write, and what the VerticalPodAutoscaler calls it. */
const modes = { off: 'Off', initial: 'Initial', recreate: 'Recreate', auto: 'Auto', inplace: 'InPlaceOrRecreate' };

const Mode = z
  .preprocess(
    (word) => (typeof word === 'string' ? word.toLowerCase().replace('inplaceorrecreate', 'inplace') : word),
    z.enum(['off', 'initial', 'recreate', 'auto', 'inplace'], 'must be off, initial, recreate, auto or inplace'),
  )
  .describe('off: only recommends. initial: for new pods. recreate, auto: pods are made anew. inplace: without that');

const meaning: Record<string, string> = {
  Off: 'It only recommends.',
  Initial: 'New pods get what it recommends.',
  Recreate: 'Pods whose requests are far off are made anew with what it recommends.',
  Auto: 'Pods whose requests are far off are made anew with what it recommends.',
  InPlaceOrRecreate:
    'Requests of running pods are changed in place where the node allows it; else the pod is made anew.',
};

const permissions = [
  'get,list,create,patch verticalpodautoscalers.autoscaling.k8s.io',
  'get deployments.apps,statefulsets.apps,daemonsets.apps',
] as const;

/** The VerticalPodAutoscaler of a workload, if it has one. @throws Fault UNKNOWN_KIND where the cluster knows none */
async function vpaOf(kube: Kube, target: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined> {
  const kind = 'VerticalPodAutoscaler';
  const apiVersion = knownKind(kind)?.apiVersion ?? '';
  const all = await kube.list({ apiVersion, kind, namespace: target.namespace }, signal);
  return all.find((vpa) => pointsTo(at(vpa, 'spec', 'targetRef'), target));
}

const modeOf = (vpa: JsonObject | undefined) => text(at(vpa, 'spec', 'updatePolicy', 'updateMode')) || 'Auto';

const amount = (of: JsonObject | undefined, bound: string, resource: 'cpu' | 'memory') => {
  const found = text(at(of, bound, resource));
  return found === '' ? '–' : resource === 'cpu' ? cpuText(found) : memoryText(found);
};

function rowsOf(vpa: JsonObject, workload: JsonObject | undefined): string[][] {
  const advice = listOf(at(vpa, 'status', 'recommendation', 'containerRecommendations'));
  return advice.flatMap((each) => {
    const name = text(each.containerName);
    const container = workload && containersOf(workload).find((candidate) => candidate.name === name);
    const asked = container && { requests: at(container, 'resources', 'requests') ?? {} };
    return (['cpu', 'memory'] as const).map((resource) => [
      name,
      resource,
      amount(asked, 'requests', resource),
      amount(each, 'target', resource),
      `${amount(each, 'lowerBound', resource)} to ${amount(each, 'upperBound', resource)}`,
    ]);
  });
}

export const vpa = defineOperation({
  name: 'vpa',
  summary: 'Show how much CPU and memory an app’s pods ought to ask for',
  effect: 'read',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web in staging'],
  needs: ['kube'],
  permissions,
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ place }) => ({ summary: `recommendations for ${place.app}`, changes: [], takesOver: [] }),
  run: async (run) => {
    const kube = run.on.kube(run.place.cluster);
    const target = workloadRef(run.place);
    return await run.step('read', async ({ signal }) => {
      const [found, workload] = await Promise.all([vpaOf(kube, target, signal), kube.read(target, signal)]);
      if (!found)
        throw missing(refTo('VerticalPodAutoscaler', target.namespace, target.name), ' /ship vpa set makes one.');
      const rows = rowsOf(found, workload);
      const waits = text(condition(found, 'RecommendationProvided')?.message) || 'is its recommender running?';
      const mode = `Mode ${modeOf(found)}: ${meaning[modeOf(found)] ?? ''}`;
      return {
        kind: 'table' as const,
        title: `${nameIn(found)}: recommendations`,
        columns: ['Container', 'What', 'Asks for', 'Ought to', 'Bounds'],
        rows,
        note: rows.length > 0 ? mode : `${mode} No recommendation yet: ${waits}`,
      };
    });
  },
});

function wishOf(target: ObjectRef, live: JsonObject | undefined, updateMode: string): Wish {
  const { apiVersion, kind, name, namespace } = target;
  const patch = { spec: { updatePolicy: { updateMode } } };
  if (live) return { kind: 'merge', ref: refTo('VerticalPodAutoscaler', namespace, nameIn(live)), patch };
  const ref = refTo('VerticalPodAutoscaler', namespace, name);
  const spec = { targetRef: { apiVersion, kind, name }, ...patch.spec };
  return {
    kind: 'apply',
    manifest: { apiVersion: ref.apiVersion, kind: ref.kind, metadata: { name, namespace }, spec },
  };
}

export const vpaSet = defineOperation({
  name: 'vpa-set',
  summary: 'Set what becomes of the recommended CPU and memory: shown only, or given to the pods',
  effect: 'change',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef, mode: Mode }),
  usage: '<app> <mode> in <env>',
  examples: ['web off in staging'],
  needs: ['kube'],
  permissions,
  steps: writeSteps,
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ on, place, signal }, { mode, app, env }) => {
    const kube = on.kube(place.cluster);
    const target = workloadRef(place);
    const [live, workload] = await Promise.all([vpaOf(kube, target, signal), kube.read(target, signal)]);
    if (!workload) throw fault('NOT_DEPLOYED', place);
    const planned = await planWrites(kube, [wishOf(target, live, modes[mode])], signal);
    const before = (['off', 'initial', 'recreate', 'auto', 'inplace'] as const).find(
      (key) => modes[key] === modeOf(live),
    );
    const undo = live && before && { undo: { operation: 'vpa-set', input: { app, env, mode: before } } };
    const from = live ? `${modeOf(live)} → ` : 'new, ';
    return { summary: `${from}${modes[mode]}. ${meaning[modes[mode]] ?? ''}`, ...planned, ...undo };
  },
  run: (run, { mode }) => runWrites(run, meaning[modes[mode]]),
});
