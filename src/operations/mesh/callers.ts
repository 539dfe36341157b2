import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type Json, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName, siteCalled, WorkloadRef } from '../../core/place.ts';
import { list, nameIn, words } from '../kubernetes/reading.ts';
import { isOurs, meshList } from './objects.ts';
import { isAbout, isForAll, meshed, workloadPermissions } from './workloads.ts';

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

const among = (values: Json | undefined) => words(values).join(', ');

function sourceText(rule: JsonObject): string {
  const sources = list(rule.from).map((each) => {
    const source = at(each, 'source');
    const principals = [...words(at(source, 'principals')), ...words(at(source, 'serviceAccounts'))]
      .map((name) => name.replace(/^.*\/ns\/([^/]+)\/sa\//, 'sa/$1/'))
      .join(', ');
    const namespaces = words(at(source, 'namespaces'))
      .map((name) => `namespace/${name}`)
      .join(', ');
    const tokens = among(at(source, 'requestPrincipals'));
    const without = among(at(source, 'notRequestPrincipals'));
    const rest = ['ipBlocks', 'remoteIpBlocks', 'notPrincipals', 'notNamespaces', 'notIpBlocks']
      .filter((key) => at(source, key) !== undefined)
      .map((key) => `${key} ${among(at(source, key))}`);
    return [
      principals,
      namespaces,
      tokens && `a token of ${tokens}`,
      without && `without a token of ${without}`,
      ...rest,
    ]
      .filter(Boolean)
      .join(' and ');
  });
  return sources.filter(Boolean).join(' or ') || 'anybody';
}

function operationText(rule: JsonObject): string {
  const operations = list(rule.to).map((each) =>
    ['methods', 'paths', 'ports', 'hosts', 'notPaths', 'notMethods', 'notPorts']
      .map((key) => ({ key, said: among(at(each, 'operation', key)) }))
      .filter(({ said }) => said !== '')
      .map(({ key, said }) => (key.startsWith('not') || key === 'ports' || key === 'hosts' ? `${key} ${said}` : said))
      .join(' '),
  );
  const when = list(rule.when).map(({ key, values }) => `where ${text(key)} is ${among(values)}`);
  return [operations.filter(Boolean).join(' or ') || 'everything', ...when].join(' ');
}

const actionOf = (policy: JsonObject) => text(at(policy, 'spec', 'action')) || 'ALLOW';

export const policiesAbout = (all: readonly JsonObject[], labels: JsonObject): JsonObject[] =>
  all.filter((policy) => isAbout(policy, labels) && at(policy, 'spec', 'targetRef') === undefined);

/** What is let in without a policy, or with some. */
export function reachText(policies: readonly JsonObject[]): string {
  const allows = policies.filter((policy) => actionOf(policy) === 'ALLOW');
  const denies = policies.some((policy) => actionOf(policy) === 'DENY');
  const base = allows.length > 0 ? 'only what an ALLOW says' : 'everybody';
  return denies ? `${base}, but for what a DENY says` : base;
}

function rowsOf(policy: JsonObject): string[][] {
  const rules = list(at(policy, 'spec', 'rules'));
  const about = isForAll(policy) ? 'the namespace' : 'this app';
  const made = isOurs(policy) ? 'Shipmate' : '';
  const row = (who: string, what: string) => [actionOf(policy), who, what, about, nameIn(policy), made];
  return rules.length > 0
    ? rules.map((rule) => row(sourceText(rule), operationText(rule)))
    : [row('nobody', 'anything')];
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
        rows: policies.flatMap(rowsOf),
        note: `May call: ${reachText(policies)}. Policies of the mesh’s root namespace count besides. Who calls is known by mTLS alone.`,
      };
    }),
});

export const PolicyName = ObjectName.describe('The AuthorizationPolicy').meta({ examples: ['allow-api-to-web'] });
