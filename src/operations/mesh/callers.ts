import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName, siteCalled, WorkloadRef } from '../../core/place.ts';
import { callerRows, policiesAbout, reachText } from './caller-words.ts';
import { meshList } from './objects.ts';
import { meshed, workloadPermissions } from './workloads.ts';

/** Who may call whom: Istio's AuthorizationPolicies. */

const form = /^(anywhere|namespace\/[a-z0-9-]{1,63}|sa\/[a-z0-9.-]{1,253}|sa\/[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253})$/;

export const CallerRef = z
  .string()
  .max(253)
  .refine(
    (ref) => form.test(ref) || WorkloadRef.safeParse(ref).success,
    'must be an app, KIND/NAME, sa/NAME (a service account), namespace/NAME, or anywhere',
  )
  .describe('Who calls: an app, KIND/NAME, sa/NAME, namespace/NAME, or anywhere')
  .meta({ examples: ['api'] });

/** A service account in whatever trust domain the mesh has. */
const principal = (namespace: string, account: string) => `*/ns/${namespace}/sa/${account}`;

export type Source = { source?: JsonObject; note: string };

/** The source of a rule; none is from anywhere. An app is known by the service account that its pods run as. */
export async function sourceCalled(
  { on, site, settings, signal }: PlanContext<'kube'>,
  from: string,
  env: string,
): Promise<Source> {
  if (from === 'anywhere') return { note: '' };
  const [kind, first = '', second] = from.split('/');
  if (kind === 'namespace') return { source: { namespaces: [first] }, note: '' };
  const other = siteCalled(settings, env);
  if (kind === 'sa')
    return {
      source: { principals: [second ? principal(first, second) : principal(other.namespace, first)] },
      note: '',
    };
  if (other.cluster !== site.cluster)
    throw fault('BAD_INPUT', {
      problem: `${env} is in another cluster: name its service account, as sa/NAMESPACE/NAME.`,
    });
  const { account, place } = await meshed(on.kube(other.cluster), settings, { app: from, env }, signal);
  const shared = account === 'default';
  return {
    source: { principals: [principal(place.namespace, account)] },
    note: shared
      ? `; ${from} runs as the service account “default”, so all that do in ${place.namespace} count as ${from}`
      : '',
  };
}

export const callers = defineOperation({
  name: 'callers',
  summary: 'Say who may call an app, as the mesh’s AuthorizationPolicies have it',
  effect: 'read',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/callers/:namespace/:app',
      summary: 'Who may call an app',
      request: z.object({ namespace: EnvRef, app: WorkloadRef }),
      input: ({ namespace, app }) => ({ app, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['list authorizationpolicies.security.istio.io', ...workloadPermissions],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ place }) => ({ summary: `who may call ${place.app}`, changes: [], takesOver: [] }),
  run: async (run, { app, env }) =>
    run.step('read', async ({ signal }) => {
      const kube = run.on.kube(run.place.cluster);
      const [all, about] = await Promise.all([
        meshList(kube, 'AuthorizationPolicy', run.place.namespace, signal),
        meshed(kube, run.settings, { app, env }, signal),
      ]);
      const policies = policiesAbout(all, about.labels);
      return {
        kind: 'table' as const,
        title: `Who may call ${run.place.app} in ${run.place.env}`,
        columns: ['Action', 'Who', 'What', 'About', 'Policy', 'Made by'],
        rows: policies.flatMap(callerRows),
        note: `May call: ${reachText(policies)}. Policies of the mesh’s root namespace count besides. Who calls is known by mTLS alone.`,
      };
    }),
});

export const PolicyName = ObjectName.describe('The AuthorizationPolicy').meta({ examples: ['allow-api-to-web'] });
