import { at, isObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { Kube } from '../../../core/kube.ts';
import { type Labels, selectorText, selects } from '../../../core/label-selector.ts';
import { nameOf, refOf } from '../../kubernetes/writes.ts';
import { listIfKnown } from './list-if-known.ts';

/** What guards pods by their labels, and where each says which. */
const guards = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', field: 'podSelector' },
  { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', field: 'selector' },
  { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', field: 'selector' },
  { apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication', field: 'selector' },
];

const isNarrow = (selector: Json | undefined): selector is JsonObject =>
  isObject(selector) && Object.keys(selector).length > 0;

/** The policies that hold for stable's pods and will not for the canary's, whose labels differ: as sentences. */
export async function uncoveredPolicies(
  kube: Kube,
  namespace: string,
  { stable, canary }: { stable: Labels; canary: Labels },
  signal: AbortSignal,
): Promise<string[]> {
  const lists = await Promise.all(guards.map((guard) => listIfKnown(kube, guard, namespace, signal)));
  return lists.flatMap((objects, index) =>
    objects.flatMap((object) => {
      const selector = at(object, 'spec', guards[index]?.field ?? '');
      if (!isNarrow(selector) || !selects(selector, stable) || selects(selector, canary)) return [];
      return [`${nameOf(refOf(object))} goes by ${selectorText(selector)}, so it does not hold for the canary’s pods.`];
    }),
  );
}
