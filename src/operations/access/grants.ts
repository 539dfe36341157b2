import { z } from 'zod';
import { differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { at, isObject, type Json } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { wholeLists } from '../../core/list-types.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { ownSelector } from '../../core/ours.ts';
import { EnvRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { missing, nameOf, planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { apiVersion, checkHeld, deedsOf, manifestsOf, Resources, Verbs } from './role-manifests.ts';
import { SubjectRef, subjectCalled } from './subject.ts';

const Granted = z.strictObject({ who: SubjectRef, verbs: Verbs, resources: Resources, env: EnvRef });

async function planGrant(
  { on, settings, site, signal }: PlanContext<'kube'>,
  { who, verbs, resources }: z.output<typeof Granted>,
): Promise<Draft> {
  const kube = on.kube(site.cluster);
  const subject = subjectCalled(settings, site, who);
  const deeds = deedsOf(verbs, resources);
  await checkHeld(kube, site.namespace, deeds, signal);
  const { role, binding } = manifestsOf(subject, site.namespace, deeds);
  const first = await planWrites(kube, [{ kind: 'apply', manifest: role }], signal);
  // The API server tries no binding to a role that isn't there yet, not even dry.
  const isNew = (await kube.read(refOf(role), signal)) === undefined;
  const second = isNew
    ? {
        writes: [{ kind: 'apply' as const, manifest: binding, force: false, answer: '' }],
        changes: differences(undefined, binding, wholeLists).map((change) => ({
          ...change,
          path: `${nameOf(refOf(binding))} ${change.path}`,
        })),
        takesOver: [],
      }
    : await planWrites(kube, [{ kind: 'apply', manifest: binding }], signal);
  return {
    summary: `${subject.title} may ${verbs.join(', ')} ${resources.join(', ')} in ${site.namespace}`,
    writes: [...first.writes, ...second.writes],
    changes: [...first.changes, ...second.changes],
    takesOver: [...first.takesOver, ...second.takesOver],
    ...(first.warnings && { warnings: first.warnings }),
    undo: { operation: 'access-revoke', input: { who, verbs, resources, env: site.env } },
  };
}

export const accessGrant = defineOperation({
  name: 'access-grant',
  summary: 'Let somebody do something in an environment’s namespace, never more than Shipmate may itself',
  effect: 'change',
  input: Granted,
  usage: '<who> <verbs> <resources> in <env>',
  examples: ['sa/ci list,watch pods,deploy in staging', 'ana get pods/log in production'],
  needs: ['kube'],
  permissions: [
    'create selfsubjectaccessreviews.authorization.k8s.io',
    'get,create,patch roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io',
  ],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: planGrant,
  run: (run) => runWrites(run),
});

const same = (a: Json | undefined, b: Json) => isObject(a) && isObject(b) && a.kind === b.kind && a.name === b.name;

const Revoked = z.strictObject({
  who: SubjectRef,
  verbs: Verbs.optional(),
  resources: Resources.optional(),
  env: EnvRef,
});

async function planRevoke(
  { on, settings, site, signal }: PlanContext<'kube'>,
  { who, verbs, resources }: z.output<typeof Revoked>,
): Promise<Draft> {
  const kube = on.kube(site.cluster);
  const { namespace } = site;
  const subject = subjectCalled(settings, site, who);
  if ((verbs === undefined) !== (resources === undefined))
    throw fault('BAD_INPUT', {
      problem: 'Say both what and on what, as it was granted; or neither, to take back all.',
    });
  const bindings = await kube.list({ apiVersion, kind: 'RoleBinding', namespace, labels: ownSelector }, signal);
  const theirs = bindings
    .filter((binding) => same(at(binding, 'subjects', 0), subject.rbac))
    .map((one) => refOf(one).name);
  const only = verbs && resources && manifestsOf(subject, namespace, deedsOf(verbs, resources));
  const wanted = only ? refOf(only.role).name : undefined;
  const names = theirs.filter((name) => wanted === undefined || name === wanted);
  if (names.length === 0) throw missing({ apiVersion, kind: 'grant', namespace, name: subject.title });
  const wishes = names.flatMap((name): Wish[] =>
    ['RoleBinding', 'Role'].map((kind) => ({ kind: 'remove', ref: { apiVersion, kind, namespace, name } })),
  );
  const planned = await planWrites(kube, wishes, signal);
  const back = verbs &&
    resources && { undo: { operation: 'access-grant', input: { who, verbs, resources, env: site.env } } };
  return { summary: `${subject.title}: ${names.length} grant(s) in ${namespace} taken back`, ...planned, ...back };
}

export const accessRevoke = defineOperation({
  name: 'access-revoke',
  summary: 'Take back what Shipmate let somebody do: one grant, or all of them',
  effect: 'change',
  input: Revoked,
  usage: '<who> [<verbs>] [<resources>] in <env>',
  examples: ['sa/old in staging', 'sa/ci list,watch pods,deploy in staging'],
  needs: ['kube'],
  permissions: ['get,list,delete roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: planRevoke,
  run: (run) => runWrites(run),
});
