import { at, isObject, type Json, type JsonObject, text } from './json.ts';
import { selectorText } from './label-selector.ts';
import { type Direction, directionsOf, type Side } from './network-reach.ts';

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
function podsText(selector: Json | undefined): string {
  const said = selectorText(selector);
  return said === 'all' ? 'all pods' : `pods with ${said}`;
}

function namespacesText(selector: Json | undefined): string {
  const name = at(selector, 'matchLabels', 'kubernetes.io/metadata.name');
  const said = selectorText(selector);
  if (said === 'all') return 'all namespaces';
  return typeof name === 'string' && said === `kubernetes.io/metadata.name=${name}`
    ? `the namespace ${name}`
    : `namespaces with ${said}`;
}

function peerText({ ipBlock, namespaceSelector, podSelector }: JsonObject): string {
  if (isObject(ipBlock)) {
    const except =
      Array.isArray(ipBlock.except) && ipBlock.except.length > 0 ? ` but ${ipBlock.except.join(', ')}` : '';
    return `${text(ipBlock.cidr)}${except}`;
  }
  const pods = podsText(podSelector);
  return namespaceSelector === undefined ? pods : `${pods} of ${namespacesText(namespaceSelector)}`;
}

function portText({ port, endPort, protocol }: JsonObject): string {
  const named =
    port === undefined ? 'any port' : `${String(port)}${endPort === undefined ? '' : `–${String(endPort)}`}`;
  return protocol === undefined || protocol === 'TCP' ? named : `${named}/${text(protocol)}`;
}

function ruleText(rule: JsonObject, direction: Direction): string {
  const peers = list(direction === 'ingress' ? rule.from : rule.to).map(peerText);
  const ports = list(rule.ports).map(portText);
  const everywhere = direction === 'ingress' ? 'from anywhere' : 'to anywhere';
  const who = peers.length === 0 ? everywhere : `${direction === 'ingress' ? 'from' : 'to'} ${peers.join(', or ')}`;
  return ports.length === 0 ? who : `${who}, at ${ports.join(', ')}`;
}

/** Which pods a policy is about. */
export const appliesTo = (policy: JsonObject): string => podsText(at(policy, 'spec', 'podSelector'));

/** What a policy lets through in a direction, in words. */
export function letsThrough(policy: JsonObject, direction: Direction): string {
  if (!directionsOf(policy).includes(direction)) return 'says nothing';
  const rules = list(at(policy, 'spec', direction));
  return rules.length === 0 ? 'nothing' : rules.map((rule) => ruleText(rule, direction)).join('; ');
}

/** What the policies of one direction say, in words. */
export function sideText(side: Side): string {
  switch (side.kind) {
    case 'open':
      return 'yes: no policy holds it back';
    case 'allowed':
      return `yes, by ${side.by.join(', ')}`;
    case 'denied':
      return `no: ${side.by.join(', ')} ${side.by.length === 1 ? 'lets' : 'let'} nothing of that kind through`;
    default:
      return side satisfies never;
  }
}
