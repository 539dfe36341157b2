import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { digestOf, type JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { ownLabels } from '../../core/ours.ts';
import { needText, rulesOf } from '../../core/permission.ts';
import type { Deed } from '../../core/rbac.ts';
import { may } from './own-rights.ts';
import { ResourceWord, resourceOf, type Subject } from './subject.ts';

export const apiVersion = 'rbac.authorization.k8s.io/v1';
/** Verbs that let people give themselves more (bind, escalate, impersonate) are not among them. */
export const Verbs = z
  .array(z.enum(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']))
  .min(1)
  .max(8)
  .describe('What they may do, with commas between: get,list,watch')
  .meta({ examples: [['get', 'list']] });
export const Resources = z
  .array(ResourceWord)
  .min(1)
  .max(20)
  .describe('On what, with commas between: pods,deploy,pods/log');

/** @throws Fault BAD_INPUT for what would let people give themselves more */
export function deedsOf(verbs: readonly string[], words: readonly string[]): Deed[] {
  return words.flatMap((word) => {
    const { clusterWide, group, resource } = resourceOf(word);
    const refused = clusterWide || group === 'rbac.authorization.k8s.io' || resource === 'serviceaccounts/token';
    if (refused)
      throw fault('BAD_INPUT', {
        problem: `${word} cannot be granted here: ${clusterWide ? 'it is of the cluster as a whole' : 'with it one could give oneself more'}.`,
      });
    return verbs.map((verb) => ({ verb, group, resource }));
  });
}

/** Nobody is given what Shipmate itself lacks; the API server would refuse it too, but later and in other words. */
export async function checkHeld(
  kube: Kube,
  namespace: string,
  deeds: readonly Deed[],
  signal: AbortSignal,
): Promise<void> {
  const held = await Promise.all(deeds.map((deed) => may(kube, deed, { namespace }, signal)));
  const lacking = deeds.filter((_, index) => !held[index]).map(needText);
  if (lacking.length > 0) throw fault('GRANT_BEYOND', { lacking: lacking.join(', '), namespace });
}

/** The Role and RoleBinding of a grant: named by whom and what it is for, so that the same grant is the same objects. */
export function manifestsOf(
  subject: Subject,
  namespace: string,
  deeds: readonly Deed[],
): { role: JsonObject; binding: JsonObject } {
  const rules = rulesOf(deeds.map((deed) => ({ ...deed, everywhere: false })));
  const who = subject.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const name = `shipmate-${who}-${digestOf([subject.rbac, rules]).slice(0, 8)}`;
  const metadata = { name, namespace, labels: ownLabels };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  return {
    role: { apiVersion, kind: 'Role', metadata, rules },
    binding: { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects: [subject.rbac] },
  };
}
