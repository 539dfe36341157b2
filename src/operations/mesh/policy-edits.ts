import type { Edit } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { list, nameIn } from '../kubernetes/reading.ts';
import type { Wish } from '../kubernetes/writes.ts';
import { changes, editTo, meansService, meshObject } from './objects.ts';
import { askedOf, balancerFields, istioTime, policyLeaves, type Traffic } from './settings.ts';

/** The DestinationRule for a Service; undefined where there is none. @throws Fault BAD_INPUT where it is not clear which */
export function ruleFor(rules: readonly JsonObject[], service: string, namespace: string): JsonObject | undefined {
  const found = rules.filter((rule) => meansService(at(rule, 'spec', 'host'), service, namespace));
  const deciding = found.filter((rule) => at(rule, 'spec', 'trafficPolicy') !== undefined);
  const [only] = deciding.length === 1 ? deciding : found;
  if (found.length <= 1 || deciding.length === 1) return only;
  const own = found.find((rule) => nameIn(rule) === service);
  if (own && deciding.length === 0) return own;
  const names = found.map(nameIn).join(' and ');
  throw fault('BAD_INPUT', {
    problem: `Several DestinationRules are for ${service} (${names}), and Istio heeds one of them: put them together first.`,
  });
}

/** A new one; it has no say of subsets. */
export function freshRule(rules: readonly JsonObject[], service: string, namespace: string): JsonObject {
  const taken = rules.some((rule) => nameIn(rule) === service);
  return meshObject('DestinationRule', namespace, taken ? `${service}-mesh` : service, { host: service });
}

function leafEdits(rule: JsonObject, asked: JsonObject): Edit[] {
  return policyLeaves.flatMap((leaf) => {
    const value = askedOf(asked, leaf);
    if (value === undefined) return [];
    const to = value === null ? undefined : leaf.time && typeof value === 'number' ? istioTime(value) : value;
    return [editTo(rule, ['spec', 'trafficPolicy', ...leaf.field], to)];
  });
}

function balancerEdits(rule: JsonObject, loadBalancer: Traffic['loadBalancer']): Edit[] {
  if (loadBalancer === undefined) return [];
  const fields = balancerFields(loadBalancer);
  const here = ['spec', 'trafficPolicy', 'loadBalancer'];
  return [
    editTo(rule, [...here, 'simple'], fields.simple),
    editTo(rule, [...here, 'consistentHash'], fields.consistentHash),
  ];
}

/** What is asked of a Service's pods, as edits of its DestinationRule. */
export function policyWishes(rule: JsonObject, traffic: Traffic, asked: JsonObject): Wish[] {
  const edits = [...leafEdits(rule, asked), ...balancerEdits(rule, traffic.loadBalancer)];
  return edits.some(changes) ? [{ kind: 'edit', ref: refOf(rule), edits, base: rule }] : [];
}

/** Subsets and ports with a policy of their own do not heed the one for all. */
export function overruledText(rule: JsonObject | undefined): string {
  const subsets = list(at(rule, 'spec', 'subsets')).filter(({ trafficPolicy }) => trafficPolicy !== undefined);
  const ports = list(at(rule, 'spec', 'trafficPolicy', 'portLevelSettings'));
  const said = [
    ...subsets.map(({ name }) => `subset ${String(name)}`),
    ...ports.map((each) => `port ${String(at(each, 'port', 'number'))}`),
  ];
  return said.length > 0 ? `; ${said.join(' and ')} may overrule it with a policy of its own` : '';
}
