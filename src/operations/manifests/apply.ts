import { z } from 'zod';
import type { Permission, RunContext } from '../../core/operation.ts';
import { defineOperation, route } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { gitOpsPermissions } from '../kubernetes/gitops.ts';
import { doWrites } from '../kubernetes/writes.ts';
import { planManifest } from './plan.ts';
import { established, settle, workloadsOf } from './settle.ts';
import { holdsSecret, ManifestInput, manifestFields } from './source.ts';

/** What manifests usually hold. For other kinds, such as those of add-ons, Shipmate's own role must be widened. */
export const manifestPermissions: readonly Permission[] = [
  'get,list,create,patch,delete configmaps,serviceaccounts,services,persistentvolumeclaims',
  'get,create,patch,delete secrets',
  'get,list,watch,create,patch,delete deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch',
  'get,list,create,patch,delete cronjobs.batch,ingresses.networking.k8s.io,networkpolicies.networking.k8s.io',
  'get,list,create,patch,delete poddisruptionbudgets.policy,horizontalpodautoscalers.autoscaling',
  'get,list,create,patch,delete httproutes.gateway.networking.k8s.io,verticalpodautoscalers.autoscaling.k8s.io',
  'get,list,create,patch,delete scaledobjects.keda.sh',
  'get,list,watch,create,patch,delete rollouts.argoproj.io',
  'list,watch replicasets.apps,pods',
  'get pods/log',
  ...gitOpsPermissions,
];

const { env: namespace, ...withoutEnv } = manifestFields;
const request = z.object({ namespace, ...withoutEnv });

const inline = `manifest='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeting"}, "data": {"hello": "world"}}'`;

export const apply = defineOperation({
  name: 'apply',
  summary: 'Apply a manifest: YAML or JSON, as text or from Git',
  effect: 'change',
  input: ManifestInput,
  usage: 'in <env> [git=<git>] [ref=<ref>] [path=<path>] [prune=<prune>]',
  examples: [`in staging ${inline}`, 'in production git=https://github.com/team/web.git ref=v2 path=deploy prune=web'],
  routes: [
    route({
      method: 'POST',
      path: '/manifests/:namespace',
      summary: 'Apply a manifest',
      request,
      input: ({ namespace: env, ...rest }) => ({ env, ...rest }),
    }),
  ],
  needs: ['kube', 'git'],
  permissions: manifestPermissions,
  secret: holdsSecret,
  steps: ['write', 'settle'],
  limits: { run: 26 * 3_600_000, steps: { settle: 25 * 3_600_000 } },
  target: ({ env }) => ({ env }),
  plan: async (context, input) => ({
    ...(await planManifest(context, input)),
    undo: { operation: 'apply-undo', input: { run: context.id, env: context.site.env } },
  }),
  run: runManifest,
});

/** Does the writes, and follows the workloads among them to their end. */
export async function runManifest(run: RunContext<'kube', 'write' | 'settle'>): Promise<Report> {
  const kube = run.on.kube(run.site.cluster);
  const objects = await run.step('write', (step) =>
    doWrites(run, kube, step, (written) => established(kube, written, step.signal)),
  );
  const workloads = workloadsOf(run.plan.writes ?? []);
  const { failure, words } = await run.step('settle', (step) => settle(run, kube, workloads, step));
  if (failure) return failure;
  return { kind: 'changed', objects, ...(words.length > 0 && { note: `${words.join(', ')}.` }) };
}
