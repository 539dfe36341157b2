import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef, type Site } from '../../core/place.ts';
import { amountOf, cpuText, memoryText, shareText } from './amounts.ts';
import { findPermissions, findPods } from './find.ts';
import { condition, list, nameIn } from './raw.ts';
import { Subject, targetOf } from './subject.ts';

const install =
  'kubectl apply -f https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml';

/** Why there are no metrics: the API is not there at all, or what stands behind it does not answer. */
async function whyNone(kube: Kube, signal: AbortSignal): Promise<string | undefined> {
  const ref = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', namespace: '' };
  const service = await kube.read({ ...ref, name: 'v1beta1.metrics.k8s.io' }, signal);
  if (!service)
    return `This cluster measures nothing (it has no metrics.k8s.io). To install metrics-server: ${install}`;
  const available = condition(service, 'Available');
  return available?.status === 'False'
    ? `The metrics API is there but does not answer: ${text(available.message)}`
    : undefined;
}

async function metricsOf(kube: Kube, { namespace }: Site, signal: AbortSignal): Promise<JsonObject[] | string> {
  try {
    return await kube.list({ apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', namespace }, signal);
  } catch (thrown) {
    const why = thrown instanceof Fault ? await whyNone(kube, signal) : undefined;
    if (why === undefined) throw thrown;
    return why;
  }
}

const sum = (amounts: (number | undefined)[]) => amounts.reduce((total: number, amount) => total + (amount ?? 0), 0);

function usageOf(pod: JsonObject, metrics: JsonObject) {
  const used = (resource: string) => sum(list(metrics.containers).map((each) => amountOf(at(each, 'usage', resource))));
  const given = (kind: string, resource: string) =>
    sum(list(at(pod, 'spec', 'containers')).map((each) => amountOf(at(each, 'resources', kind, resource))));
  const [cpu, memory] = [used('cpu'), used('memory')];
  return {
    cpu,
    memory,
    row: [
      nameIn(pod),
      cpuText(cpu),
      shareText(cpu, given('requests', 'cpu')),
      shareText(cpu, given('limits', 'cpu')),
      memoryText(memory),
      shareText(memory, given('requests', 'memory')),
      shareText(memory, given('limits', 'memory')),
    ],
  };
}

async function usage(
  run: RunContext<'kube', string>,
  app: string | undefined,
): Promise<{ rows: string[][]; note: string }> {
  const kube = run.on.kube(run.site.cluster);
  const [metrics, { pods }] = await Promise.all([metricsOf(kube, run.site, run.signal), findPods(run, { app })]);
  if (typeof metrics === 'string') return { rows: [], note: metrics };
  const byName = new Map(metrics.map((each) => [nameIn(each), each]));
  const used = pods.flatMap((pod) => {
    const its = byName.get(nameIn(pod));
    return its ? [usageOf(pod, its)] : [];
  });
  const unmeasured = pods.length - used.length;
  const total = `Together ${cpuText(sum(used.map(({ cpu }) => cpu)))} CPU, ${memoryText(sum(used.map(({ memory }) => memory)))} memory.`;
  return {
    rows: used.sort((a, b) => b.cpu - a.cpu || b.memory - a.memory).map(({ row }) => row),
    note: unmeasured > 0 ? `${total} Not measured (yet): ${unmeasured} more.` : total,
  };
}

export const top = defineOperation({
  name: 'top',
  summary: 'Show what pods use of CPU and memory',
  effect: 'read',
  input: z.strictObject({ app: Subject.optional(), env: EnvRef }),
  usage: '[<app>] in <env>',
  examples: ['web in staging', 'in production'],
  routes: [
    route({
      method: 'GET',
      path: '/pods/:namespace/usage',
      summary: 'CPU and memory of the pods of a namespace or an app',
      request: z.object({ namespace: EnvRef, app: Subject.optional() }),
      input: ({ namespace, app }) => ({ env: namespace, ...(app !== undefined && { app }) }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'list pods.metrics.k8s.io', 'get apiservices.apiregistration.k8s.io everywhere'],
  steps: ['read'],
  target: targetOf,
  plan: async (_context, { app = 'all pods', env }) => ({ summary: `${app} in ${env}`, changes: [], takesOver: [] }),
  run: async (run, { app, env }) => ({
    kind: 'table',
    title: `Use of CPU and memory ${app === undefined ? '' : `by ${app} `}in ${env}`,
    columns: ['pod', 'CPU', 'of request', 'of limit', 'memory', 'of request', 'of limit'],
    ...(await run.step('read', () => usage(run, app))),
  }),
});
