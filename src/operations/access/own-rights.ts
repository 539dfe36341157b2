import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { Catalogue } from '../../core/operation.ts';
import { allNeeds, type Need, needsOf, needText } from '../../core/permission.ts';
import { ruleAllows } from '../../core/rbac.ts';

const apiVersion = 'authorization.k8s.io/v1';

/** Whether Shipmate may do it itself. Without a namespace: in the cluster as a whole. */
export async function may(
  kube: Kube,
  { verb, group, resource: whole }: Pick<Need, 'verb' | 'group' | 'resource'>,
  where: { namespace?: string; name?: string },
  signal: AbortSignal,
): Promise<boolean> {
  const [resource = '', subresource = ''] = whole.split('/');
  const resourceAttributes = { verb, group, resource, subresource, ...where };
  const review = { apiVersion, kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  return at(await kube.create(review, {}, signal), 'status', 'allowed') === true;
}

export type Rights = { rules: JsonObject[]; complete: boolean };

/** All rules that hold for Shipmate in a namespace, in one answer. */
export async function rightsIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<Rights> {
  const review = { apiVersion, kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const { status } = await kube.create(review, {}, signal);
  const found = at(status, 'resourceRules');
  const rules = (Array.isArray(found) ? found : []).filter(isObject);
  // An authoriser that is not RBAC may allow more than it can list.
  return { rules, complete: Array.isArray(found) && at(status, 'incomplete') !== true };
}

const forAllNames = (rule: JsonObject) => !Array.isArray(rule.resourceNames) || rule.resourceNames.length === 0;

/** Everything may be done: that is more than any operation needs. */
export const isUnbounded = ({ rules }: Rights): boolean =>
  rules.some((rule) => forAllNames(rule) && ruleAllows(rule, { verb: '*', group: '*', resource: '*' }));

/** Which of the needs in namespaces the rights don't cover. */
export async function lackingIn(
  kube: Kube,
  namespace: string,
  rights: Rights,
  needs: readonly Need[],
  signal: AbortSignal,
): Promise<Need[]> {
  const unlisted = needs.filter(
    (need) => !need.everywhere && !rights.rules.some((rule) => forAllNames(rule) && ruleAllows(rule, need)),
  );
  if (rights.complete) return unlisted;
  const allowed = await Promise.all(unlisted.map((need) => may(kube, need, { namespace }, signal)));
  return unlisted.filter((_, index) => !allowed[index]);
}

/** Which of the needs in the cluster as a whole are not met. */
export async function lackingEverywhere(kube: Kube, needs: readonly Need[], signal: AbortSignal): Promise<Need[]> {
  const wide = needs.filter(({ everywhere }) => everywhere);
  const allowed = await Promise.all(wide.map((need) => may(kube, need, {}, signal)));
  return wide.filter((_, index) => !allowed[index]);
}

/** What all operations need. */
export const needsOfAll = (catalogue: Catalogue): Need[] =>
  allNeeds([...catalogue.values()].flatMap(({ permissions }) => permissions ?? []));

/** What is lacking, a line for each resource: `create, patch deployments.apps`, and the operations that need it. */
export function lackText(catalogue: Catalogue, lacking: readonly Need[]): [string, string][] {
  const byResource = Map.groupBy(lacking, ({ group, resource }) => `${resource}${group === '' ? '' : `.${group}`}`);
  return [...byResource].map(([resource, needs]) => {
    const same = (need: Need) =>
      needs.some((lack) => needText(lack) === needText(need) && lack.everywhere === need.everywhere);
    const operations = [...catalogue.values()].filter(({ permissions = [] }) =>
      permissions.flatMap(needsOf).some(same),
    );
    return [
      `may not ${needs.map(({ verb }) => verb).join(', ')} ${resource}`,
      `needed for ${operations.map(({ name }) => name.replaceAll('-', ' ')).join(', ')}`,
    ];
  });
}
