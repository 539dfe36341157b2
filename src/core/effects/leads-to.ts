import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import { objectsIn, podSpecsIn } from './pod-specs.ts';

/** An object that another one speaks of. `kind` is empty where it does not say. */
export type Named = { kind: string; namespace: string; name: string };

/** `web`, `web.shop`, `web.shop.svc.cluster.local`: the Service behind a host; others lead out of the cluster. */
export function serviceAt(host: string, namespace: string): Named | undefined {
  const [name = '', space, third, ...rest] = host.split('.');
  if (name === '' || name === '*') return undefined;
  if (space === undefined) return { kind: 'Service', namespace, name };
  const inCluster =
    third === undefined || (third === 'svc' && (rest.length === 0 || rest.join('.') === 'cluster.local'));
  return inCluster ? { kind: 'Service', namespace: space, name } : undefined;
}

const strings = (value: Json | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');

/** Fields that name a backend where they say no kind, as Gateway API and Ingress have them. */
const backends = new Set(['backendRef', 'backendRefs', 'service']);

/** Fields that name a workload where they say no kind, as KEDA has it. */
const targets = new Set(['scaleTargetRef', 'targetRef', 'workloadRef']);

function namedBy(value: JsonObject, key: string, own: string): Named[] {
  const namespace = text(value.namespace) || own;
  const hosts = [...strings(value.host), ...strings(value.hosts)].flatMap((host) => serviceAt(host, own) ?? []);
  const name = text(value.name);
  const kind = text(value.kind) || (backends.has(key) ? 'Service' : '');
  const refers = name !== '' && (kind !== '' || targets.has(key)) ? [{ kind, namespace, name }] : [];
  const serviceName = text(value.serviceName);
  return [...hosts, ...refers, ...(serviceName === '' ? [] : [{ kind: 'Service', namespace, name: serviceName }])];
}

/** What an object leads to or acts on, whatever its kind: routes to Services, scalers to workloads, bindings to accounts. */
export function ledTo(object: JsonObject | undefined): Named[] {
  if (!object) return [];
  const own = text(at(object, 'metadata', 'namespace'));
  const { apiVersion: _, kind: __, ...rest } = object;
  const found = objectsIn(isObject(rest) ? rest : {}).flatMap(({ value, key }) => namedBy(value, key, own));
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

const nameLabel = 'app.kubernetes.io/name';

/** What an object calls the pods that it makes or chooses: the values of the label for an app's name, wherever it has that. */
export function calledIn(object: JsonObject | undefined): string[] {
  const own = object?.kind === 'Pod' ? strings(at(object, 'metadata', 'labels', nameLabel)) : [];
  const templates = podSpecsIn(object).flatMap(({ labels }) => labels[nameLabel] ?? []);
  const chosen = objectsIn(object).flatMap(({ value }) => [
    ...strings(value[nameLabel]),
    ...(value.key === nameLabel ? strings(value.values) : []),
  ]);
  return [...own, ...templates, ...chosen];
}
