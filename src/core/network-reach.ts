import { holds } from './cidr.ts';
import { at, isObject, type Json, type JsonObject } from './json.ts';
import { type Labels, selects } from './label-selector.ts';

/**
 * Who may reach whom, answered from NetworkPolicies as their documentation has it.
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */

export type Direction = 'ingress' | 'egress';

/** A port that a container of a pod names. */
export type NamedPort = { name: string; port: number; protocol: string };

/** One end of a connection: pods, or an address outside the cluster. */
export type End =
  | {
      kind: 'pods';
      namespace: string;
      namespaceLabels: Labels;
      labels: Labels;
      /** The addresses of those that run now. */
      addresses: readonly string[];
      ports: readonly NamedPort[];
    }
  | { kind: 'address'; address: string };

export type Port = { port: number; protocol: 'TCP' | 'UDP' | 'SCTP' };

/** What the policies of one direction say. `open`: none selects the pods, so nothing is held back. */
export type Side = { kind: 'open' } | { kind: 'allowed'; by: string[] } | { kind: 'denied'; by: string[] };

export type Reach = { reaches: boolean; egress: Side; ingress: Side };

type Pods = Extract<End, { kind: 'pods' }>;

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const nameOf = (policy: JsonObject) => String(at(policy, 'metadata', 'name'));

/** The directions that a policy is about: ingress unless it says otherwise, egress where it has rules for it. */
export function directionsOf(policy: JsonObject): Direction[] {
  const types = at(policy, 'spec', 'policyTypes');
  if (Array.isArray(types) && types.length > 0)
    return types.flatMap((type) => (type === 'Ingress' ? ['ingress'] : type === 'Egress' ? ['egress'] : []));
  return list(at(policy, 'spec', 'egress')).length > 0 ? ['ingress', 'egress'] : ['ingress'];
}

/** The policies that isolate pods in a direction. */
export function isolating(policies: readonly JsonObject[], pods: Pods, direction: Direction): JsonObject[] {
  return policies.filter(
    (policy) =>
      at(policy, 'metadata', 'namespace') === pods.namespace &&
      directionsOf(policy).includes(direction) &&
      // A selector that is left out is the empty one, which selects all.
      selects(at(policy, 'spec', 'podSelector') ?? {}, pods.labels),
  );
}

function isInBlock(block: JsonObject, address: string): boolean {
  const except = Array.isArray(block.except) ? block.except : [];
  return holds(String(block.cidr), address) && !except.some((hole) => holds(String(hole), address));
}

function fitsPeer(peer: JsonObject, end: End, namespace: string): boolean {
  if (isObject(peer.ipBlock)) {
    const block = peer.ipBlock;
    const addresses = end.kind === 'address' ? [end.address] : end.addresses;
    return addresses.length > 0 && addresses.every((address) => isInBlock(block, address));
  }
  if (end.kind === 'address') return false;
  const { namespaceSelector, podSelector } = peer;
  if (namespaceSelector === undefined && podSelector === undefined) return false;
  const there =
    namespaceSelector === undefined ? end.namespace === namespace : selects(namespaceSelector, end.namespaceLabels);
  return there && (podSelector === undefined || selects(podSelector, end.labels));
}

/** Named ports are those of the pods that are connected to; an address has none. */
function fitsPort(rule: JsonObject, asked: Port, target: End): boolean {
  if ((rule.protocol ?? 'TCP') !== asked.protocol) return false;
  const { port, endPort } = rule;
  if (port === undefined) return true;
  if (typeof port === 'string')
    return (
      target.kind === 'pods' &&
      target.ports.some((each) => each.name === port && each.port === asked.port && each.protocol === asked.protocol)
    );
  return typeof endPort === 'number' && typeof port === 'number'
    ? asked.port >= port && asked.port <= endPort
    : port === asked.port;
}

type Question = { self: Pods; other: End; target: End; port: Port };

function permits(policy: JsonObject, direction: Direction, { self, other, target, port }: Question): boolean {
  return list(at(policy, 'spec', direction)).some((rule) => {
    const peers = list(direction === 'ingress' ? rule.from : rule.to);
    const ports = list(rule.ports);
    return (
      (peers.length === 0 || peers.some((peer) => fitsPeer(peer, other, self.namespace))) &&
      (ports.length === 0 || ports.some((each) => fitsPort(each, port, target)))
    );
  });
}

/** The policies that select the pods are one: what any of them permits is permitted. */
function sideOf(policies: readonly JsonObject[], direction: Direction, question: Question): Side {
  const selecting = isolating(policies, question.self, direction);
  if (selecting.length === 0) return { kind: 'open' };
  const by = selecting.filter((policy) => permits(policy, direction, question)).map(nameOf);
  return by.length > 0 ? { kind: 'allowed', by } : { kind: 'denied', by: selecting.map(nameOf) };
}

/**
 * Whether `from` may connect to `to` at a port: what `from` may send to and what `to` takes must both let it through.
 * An address outside the cluster holds nothing back.
 */
export function reach(policies: readonly JsonObject[], { from, to, port }: { from: End; to: End; port: Port }): Reach {
  const egress: Side =
    from.kind === 'pods' ? sideOf(policies, 'egress', { self: from, other: to, target: to, port }) : { kind: 'open' };
  const ingress: Side =
    to.kind === 'pods' ? sideOf(policies, 'ingress', { self: to, other: from, target: to, port }) : { kind: 'open' };
  return { reaches: egress.kind !== 'denied' && ingress.kind !== 'denied', egress, ingress };
}
