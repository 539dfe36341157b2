import { at, type Json, type JsonObject, text } from '../../core/json.ts';
import { isOurs } from '../../core/ours.ts';
import { list, nameIn, words } from '../kubernetes/reading.ts';

import { isAbout, isForAll } from './workloads.ts';

/** What AuthorizationPolicies say, in words. */

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

export const actionOf = (policy: JsonObject) => text(at(policy, 'spec', 'action')) || 'ALLOW';

export const policiesAbout = (all: readonly JsonObject[], labels: JsonObject): JsonObject[] =>
  all.filter((policy) => isAbout(policy, labels) && at(policy, 'spec', 'targetRef') === undefined);

/** What is let in without a policy, or with some. */
export function reachText(policies: readonly JsonObject[]): string {
  const allows = policies.filter((policy) => actionOf(policy) === 'ALLOW');
  const denies = policies.some((policy) => actionOf(policy) === 'DENY');
  const base = allows.length > 0 ? 'only what an ALLOW says' : 'everybody';
  return denies ? `${base}, but for what a DENY says` : base;
}

export function callerRows(policy: JsonObject): string[][] {
  const rules = list(at(policy, 'spec', 'rules'));
  const about = isForAll(policy) ? 'the namespace' : 'this app';
  const made = isOurs(policy) ? 'Shipmate' : '';
  const row = (who: string, what: string) => [actionOf(policy), who, what, about, nameIn(policy), made];
  return rules.length > 0
    ? rules.map((rule) => row(sourceText(rule), operationText(rule)))
    : [row('nobody', 'anything')];
}
