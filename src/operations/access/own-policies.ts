import { at, type Json, type JsonObject } from '../../core/json.ts';
import { type Labels, labelsOf, selects } from '../../core/label-selector.ts';
import { type Direction, directionsOf, isolating } from '../../core/network-reach.ts';
import { ownLabels } from '../../core/ours.ts';
import type { Change } from '../../core/plan.ts';
import { namespaceLabel, type Party } from './network-ends.ts';

/** The NetworkPolicies that Shipmate makes, each known by its name. */

const slug = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');

export type Allowed = { from: string; to: string; fromNamespace?: string; port?: string; protocol: string };

/** `allow-api-to-web-8080`. */
export function allowName({ from, to, fromNamespace, port, protocol }: Allowed): string {
  const source = fromNamespace === undefined ? slug(from) : `${slug(fromNamespace)}-${slug(from)}`;
  const ends = [port, protocol === 'TCP' ? undefined : protocol.toLowerCase()].filter((part) => part !== undefined);
  return ['allow', source, 'to', slug(to), ...ends].join('-');
}

export const policy = (namespace: string, name: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace, labels: ownLabels },
  spec,
});

/** Lets nothing in to these pods; what other policies allow is allowed all the same. */
export const closed = (namespace: string, to: string, podSelector: Json): JsonObject =>
  policy(namespace, `deny-to-${slug(to)}`, { podSelector, policyTypes: ['Ingress'] });

/** Lets the whole namespace take, or send, only what other policies allow. */
export function defaultDeny(namespace: string, direction: Direction): JsonObject[] {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress';
  const deny = policy(namespace, `default-deny-${direction}`, { podSelector: {}, policyTypes: [type] });
  if (direction === 'ingress') return [deny];
  // Pods that can't ask for names can't do anything, and no one means that.
  const ports = ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol }));
  const egress = [{ to: [{ namespaceSelector: { matchLabels: { [namespaceLabel]: 'kube-system' } } }], ports }];
  return [deny, policy(namespace, 'allow-dns', { podSelector: {}, policyTypes: ['Egress'], egress })];
}

const words = { open: 'open to everybody', shut: 'only what policies allow' };

/** What nobody sees in a policy's own diff: the first one that selects pods cuts off all else, the last one to go opens them. */
export function isolationChange(
  { end, place }: Pick<Party, 'end' | 'place'>,
  before: readonly JsonObject[],
  after: readonly JsonObject[],
): Change[] {
  const shut = (policies: readonly JsonObject[]) => isolating(policies, end, 'ingress').length > 0;
  if (shut(before) === shut(after)) return [];
  const [from, to] = shut(after) ? [words.open, words.shut] : [words.shut, words.open];
  return [{ path: `traffic to ${place.app}`, from, to }];
}

/** How many of the pods nothing isolates yet in a direction. */
export function openPods(pods: readonly JsonObject[], policies: readonly JsonObject[], direction: Direction): number {
  const labels: Labels[] = pods.map((pod) => labelsOf(at(pod, 'metadata', 'labels')));
  const selectors = policies.filter((each) => directionsOf(each).includes(direction));
  return labels.filter((own) => !selectors.some((each) => selects(at(each, 'spec', 'podSelector') ?? {}, own))).length;
}
