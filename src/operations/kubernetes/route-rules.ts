import { at, type JsonObject } from '../../core/json.ts';
import { list, words } from './reading.ts';

/** A host and path, and where they are to lead. */
export type Wanted = { host: string; path: string; service: string; port: number };

function ingressPaths(paths: readonly JsonObject[], { path, service, port }: Wanted): JsonObject[] {
  const backend: JsonObject = { service: { name: service, port: { number: port } } };
  if (paths.some((entry) => entry.path === path))
    return paths.map((entry) => (entry.path === path ? { ...entry, backend } : entry));
  return [...paths, { path, pathType: 'Prefix', backend }];
}

/** The rules of an Ingress with one path of a host set; rules are one field to the API server, so all are sent. */
export function ingressRules(rules: readonly JsonObject[], wanted: Wanted): JsonObject[] {
  const withPaths = (rule: JsonObject): JsonObject => ({
    ...rule,
    http: { paths: ingressPaths(list(at(rule, 'http', 'paths')), wanted) },
  });
  if (rules.some(({ host }) => host === wanted.host))
    return rules.map((rule) => (rule.host === wanted.host ? withPaths(rule) : rule));
  return [...rules, withPaths({ host: wanted.host })];
}

const isPath = (rule: JsonObject, path: string) =>
  list(rule.matches).length === 1 && at(list(rule.matches)[0], 'path', 'value') === path;

/** The rules of an HTTPRoute with one path set. */
export function httpRules(rules: readonly JsonObject[], { path, service, port }: Wanted): JsonObject[] {
  const backendRefs = [{ name: service, port }];
  if (rules.some((rule) => isPath(rule, path)))
    return rules.map((rule) => (isPath(rule, path) ? { ...rule, backendRefs } : rule));
  return [...rules, { matches: [{ path: { type: 'PathPrefix', value: path } }], backendRefs }];
}

/** Whether an Ingress or HTTPRoute speaks of a host. */
export const holds = (host: string) => (object: JsonObject) =>
  object.kind === 'Ingress'
    ? list(at(object, 'spec', 'rules')).some((rule) => rule.host === host)
    : words(at(object, 'spec', 'hostnames')).includes(host);
