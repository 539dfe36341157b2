import { z } from 'zod';
import { at, type JsonObject } from '../../core/json.ts';
import { type KindName, knownKind } from '../../core/kinds.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { type RoleBook, whoMay } from '../../core/rbac.ts';
import { ResourceWord, resourceOf, SubjectRef, subjectCalled, Verb } from './subject.ts';

const Question = z.strictObject({ verb: Verb, resource: ResourceWord, env: EnvRef });
type Question = z.output<typeof Question>;

async function bookOf({ on, site, signal }: RunContext<'kube', 'read'>): Promise<RoleBook> {
  const kube = on.kube(site.cluster);
  const all = async (name: KindName, namespace: string) =>
    await kube.list({ kind: name, apiVersion: knownKind(name)?.apiVersion ?? '', namespace }, signal);
  const [roles, roleBindings, clusterRoles, clusterRoleBindings] = await Promise.all([
    all('Role', site.namespace),
    all('RoleBinding', site.namespace),
    all('ClusterRole', ''),
    all('ClusterRoleBinding', ''),
  ]);
  return { roles, roleBindings, clusterRoles, clusterRoleBindings };
}

async function holders(run: RunContext<'kube', 'read'>, { verb, resource: word }: Question): Promise<string[][]> {
  const { clusterWide, ...resource } = resourceOf(word);
  const ways = new Map<string, string[]>();
  for (const { subject, binding, role, everywhere, names } of whoMay(
    await bookOf(run),
    { verb, ...resource },
    clusterWide,
  )) {
    const only = names ? `, only ${names.join(', ')}` : '';
    const way = `${role} through ${binding}${only}${everywhere ? ', in all namespaces' : ''}`;
    ways.set(subject, [...(ways.get(subject) ?? []), way]);
  }
  return [...ways].sort().map(([subject, found]) => [subject, found.join('; ')]);
}

export const accessWho = defineOperation({
  name: 'access-who',
  summary: 'Show who may do something in an environment’s namespace, and by which role',
  effect: 'read',
  input: Question,
  usage: '<verb> <resource> in <env>',
  examples: ['delete pods in staging', 'get secrets in production', 'create pods/exec in production'],
  needs: ['kube'],
  permissions: [
    'list roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io',
    'list clusterroles.rbac.authorization.k8s.io,clusterrolebindings.rbac.authorization.k8s.io',
  ],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async (_context, { verb, resource }) => {
    resourceOf(resource);
    return { summary: `who may ${verb} ${resource}`, changes: [], takesOver: [] };
  },
  run: async (run, question) => ({
    kind: 'table',
    title: `Who may ${question.verb} ${question.resource} in ${run.site.env}`,
    columns: ['who', 'by'],
    rows: await run.step('read', () => holders(run, question)),
    note: 'By RBAC. Members of groups are known to the cluster’s identity provider alone; system:masters may do everything.',
  }),
});

export const accessCan = defineOperation({
  name: 'access-can',
  summary: 'Ask the cluster whether somebody may do something in an environment',
  effect: 'read',
  input: z.strictObject({ who: SubjectRef, verb: Verb, resource: ResourceWord, env: EnvRef }),
  usage: '<who> <verb> <resource> in <env>',
  examples: ['sa/ci delete pods in staging', 'user:ana@example.com get secrets in production'],
  needs: ['kube'],
  permissions: ['create subjectaccessreviews.authorization.k8s.io'],
  steps: ['ask'],
  target: ({ env }) => ({ env }),
  plan: async ({ settings, site }, { who, verb, resource }) => {
    resourceOf(resource);
    return {
      summary: `may ${subjectCalled(settings, site, who).title} ${verb} ${resource}?`,
      changes: [],
      takesOver: [],
    };
  },
  run: async (run, { who, verb, resource: word }) => {
    const { title, user, groups } = subjectCalled(run.settings, run.site, who);
    const { clusterWide, group, resource: whole } = resourceOf(word);
    const [resource = '', subresource] = whole.split('/');
    const resourceAttributes: JsonObject = {
      verb,
      group,
      resource,
      ...(subresource !== undefined && { subresource }),
      ...(!clusterWide && { namespace: run.site.namespace }),
    };
    const rows = await run.step('ask', async ({ signal }) => {
      const spec = { resourceAttributes, groups, ...(user !== undefined && { user }) };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      const { status } = await run.on.kube(run.site.cluster).create(review, {}, signal);
      const reason = String(at(status, 'reason') ?? '') || String(at(status, 'evaluationError') ?? '');
      return [[at(status, 'allowed') === true ? 'yes' : 'no', reason]];
    });
    return {
      kind: 'table',
      title: `May ${title} ${verb} ${word} in ${run.site.env}?`,
      columns: ['answer', 'why'],
      rows,
    };
  },
});
