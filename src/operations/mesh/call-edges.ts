import { at, type JsonObject, text } from '../../core/json.ts';
import { entries, list, nameIn, words } from '../kubernetes/reading.ts';
import { actionOf, policiesAbout } from './caller-words.ts';
import { meansService } from './objects.ts';
import { isAbout, isForAll, type Meshed } from './workloads.ts';

/** Who calls whom, as far as the mesh's objects tell. */

/** One line of who calls whom: the other side, and what it is known from. */
export type Edge = { from: string; to: string; by: string };

export type Seen = {
  workloads: JsonObject[];
  services: JsonObject[];
  mesh: Record<'policies' | 'routes' | 'sidecars', JsonObject[]>;
};

const templateOf = (workload: JsonObject) => at(workload, 'spec', 'template');
const accountOf = (workload: JsonObject) => text(at(templateOf(workload), 'spec', 'serviceAccountName')) || 'default';
const labelsOf = (workload: JsonObject): JsonObject => {
  const labels = at(templateOf(workload), 'metadata', 'labels');
  return typeof labels === 'object' && labels !== null && !Array.isArray(labels) ? labels : {};
};

/** The Services that lead to pods with these labels. */
const servicesOf = (services: readonly JsonObject[], labels: JsonObject): string[] =>
  services
    .filter((service) => {
      const selector = Object.entries(Object(at(service, 'spec', 'selector')));
      return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
    })
    .map(nameIn);

/** Whom an AuthorizationPolicy lets call: workloads of the namespace by their service account, others by what it says. */
function sourcesOf(policy: JsonObject, namespace: string, workloads: readonly JsonObject[]): string[] {
  const sources = list(at(policy, 'spec', 'rules')).flatMap((rule) =>
    list(rule.from).map((each) => at(each, 'source')),
  );
  return sources.flatMap((source) => [
    ...words(at(source, 'principals')).flatMap((principal) => {
      const [, where = '', account = ''] = /\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal) ?? [];
      const known = where === namespace ? workloads.filter((workload) => accountOf(workload) === account) : [];
      return known.length > 0 ? known.map(nameIn) : [`sa/${where}/${account}`];
    }),
    ...words(at(source, 'namespaces')).map((name) => `namespace/${name}`),
  ]);
}

const isAllow = (policy: JsonObject) => actionOf(policy) === 'ALLOW';

/** Whether a Sidecar's egress names a Service: `./web.ns.svc.cluster.local`, `ns/*`, `*\/web.ns.svc.cluster.local`. */
function lets(sidecar: JsonObject, service: string, namespace: string): boolean {
  const hosts = list(at(sidecar, 'spec', 'egress')).flatMap(({ hosts }) => words(hosts));
  return hosts.some((host) => {
    const [where = '', name = ''] = host.split('/');
    const here = where === '.' || where === '*' || where === namespace;
    return here && name !== '*' && meansService(name, service, namespace);
  });
}

/** The labels of the pods that a Sidecar is of; those of the whole namespace have none. */
const pairsOf = (sidecar: JsonObject) => entries(at(sidecar, 'spec', 'workloadSelector', 'labels'));
const isOf = (sidecar: JsonObject, labels: JsonObject) =>
  pairsOf(sidecar).every(([key, value]) => labels[key] === value);

function ownersOf(sidecar: JsonObject, workloads: readonly JsonObject[]): string[] {
  if (pairsOf(sidecar).length === 0) return ['all of the namespace'];
  return workloads.filter((workload) => isOf(sidecar, labelsOf(workload))).map(nameIn);
}

export function incoming({ place, labels }: Meshed, { workloads, services, mesh }: Seen): Edge[] {
  const { namespace, app } = place;
  const own = servicesOf(services, labels);
  const allowed = policiesAbout(mesh.policies, labels)
    .filter(isAllow)
    .flatMap((policy) =>
      sourcesOf(policy, namespace, workloads).map((from) => ({
        from,
        to: app,
        by: `may, says AuthorizationPolicy/${nameIn(policy)}`,
      })),
    );
  const routed = mesh.routes
    .filter((each) =>
      list(at(each, 'spec', 'http')).some((route) =>
        list(route.route).some(({ destination }) =>
          own.some((service) => meansService(at(destination, 'host'), service, namespace)),
        ),
      ),
    )
    .flatMap((each) =>
      words(at(each, 'spec', 'gateways'))
        .filter((gateway) => gateway !== 'mesh')
        .map((gateway) => ({
          from: `gateway ${gateway} (${words(at(each, 'spec', 'hosts')).join(', ')})`,
          to: app,
          by: `is led there by VirtualService/${nameIn(each)}`,
        })),
    );
  const named = mesh.sidecars
    .filter((sidecar) => own.some((service) => lets(sidecar, service, namespace)))
    .flatMap((sidecar) =>
      ownersOf(sidecar, workloads).map((from) => ({ from, to: app, by: `knows of it by Sidecar/${nameIn(sidecar)}` })),
    );
  return [...routed, ...allowed, ...named];
}

export function outgoing({ place, labels, account }: Meshed, { workloads, services, mesh }: Seen): Edge[] {
  const { namespace, app } = place;
  const me = workloads.filter((workload) => accountOf(workload) === account).map(nameIn);
  const allowed = mesh.policies
    .filter((policy) => isAllow(policy) && !isForAll(policy) && !isAbout(policy, labels))
    .filter((policy) => sourcesOf(policy, namespace, workloads).some((from) => me.includes(from)))
    .flatMap((policy) =>
      workloads
        .filter((workload) => isAbout(policy, labelsOf(workload)))
        .map((workload) => ({
          from: app,
          to: nameIn(workload),
          by: `may, says AuthorizationPolicy/${nameIn(policy)}`,
        })),
    );
  const named = mesh.sidecars
    .filter((sidecar) => pairsOf(sidecar).length > 0 && isOf(sidecar, labels))
    .flatMap((sidecar) =>
      services
        .filter((service) => lets(sidecar, nameIn(service), namespace))
        .map((service) => ({ from: app, to: nameIn(service), by: `knows of it by Sidecar/${nameIn(sidecar)}` })),
    );
  return [...allowed, ...named];
}
