import { fault } from '../../../core/errors.ts';
import { at, type JsonObject } from '../../../core/json.ts';
import { type Labels, labelsOf, selectorText } from '../../../core/label-selector.ts';
import { isForAll, type NewWorkloads } from '../../../core/new-workloads.ts';
import type { Place } from '../../../core/place.ts';
import { servicesOf } from '../canary/labels.ts';
import { nameIn } from '../canary/parts.ts';

type Asked = {
  place: Place;
  ports: readonly number[];
  rules: NewWorkloads;
  /** How the pods are found, and all that they bear. */
  selector: Labels;
  pods: Labels;
  /** What the Service bears besides. */
  labels: Labels;
  /** Whether the first port is known to speak HTTP, since a probe asks it so. */
  speaksHttp: boolean;
};

export type Leading = {
  /** The Service that is made. */
  made?: JsonObject;
  /** The Service by which each of a StatefulSet's pods has a name. */
  governing?: string;
  warnings: string[];
};

/** Older clusters want a letter first. */
const fits = (name: string) => /^[a-z]/.test(name);

/**
 * A port is called `http` where it is known to be one: Istio goes by the name, and finds out by itself what a `port-N` speaks. Taken
 * for HTTP, what is none would be broken by it.
 */
const portsOf = ({ ports, speaksHttp }: Asked) =>
  ports.map((port, n) => ({
    name: n === 0 && speaksHttp ? 'http' : `port-${port}`,
    port,
    targetPort: port,
    protocol: 'TCP',
  }));

/** A StatefulSet's pods are each somebody of their own: a Service without an address gives each a name. */
function serviceOf(asked: Asked): JsonObject {
  const { place, selector, labels } = asked;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: place.workload, namespace: place.namespace, labels },
    spec: {
      type: 'ClusterIP',
      ...(place.kind === 'StatefulSet' && { clusterIP: 'None' }),
      selector,
      ports: portsOf(asked),
    },
  };
}

/**
 * The Service that leads to the new pods: one that chooses them already and is not meant for all, or one that is to be made. A DaemonSet's pods are reached on
 * their nodes.
 * @throws Fault SERVICE_ELSEWHERE
 */
export function serviceFor(services: readonly JsonObject[], asked: Asked): Leading {
  const { place, ports, pods, rules } = asked;
  const { app, env, namespace, workload: name, kind } = place;
  const own = servicesOf(services, pods).filter((service) => !isForAll(rules, service, name));
  const headless = own.find((service) => at(service, 'spec', 'clusterIP') === 'None');
  if (own.length > 0) return { ...(headless && { governing: nameIn(headless) }), warnings: [] };
  if (ports.length === 0 || kind === 'DaemonSet') return { warnings: [] };
  const there = services.find((service) => nameIn(service) === name);
  if (there) {
    const chosen = labelsOf(at(there, 'spec', 'selector'));
    const selector =
      Object.keys(chosen).length > 0 ? selectorText({ matchLabels: { ...chosen } }) : 'no pods of its own';
    throw fault('SERVICE_ELSEWHERE', { app, env, namespace, name, selector });
  }
  if (!fits(name)) return { warnings: [`No Service is made: its name begins with a letter, and “${name}” does not.`] };
  return { made: serviceOf(asked), governing: name, warnings: [] };
}

/** The line of the plan that says it. */
export function lineOf(service: JsonObject, ports: readonly number[]): { path: string; to: string } {
  const selector = selectorText({ matchLabels: at(service, 'spec', 'selector') ?? {} });
  const headless = at(service, 'spec', 'clusterIP') === 'None' ? ', without an address of its own' : '';
  return {
    path: `Service/${nameIn(service)}`,
    to: `new, leads from ${ports.join(', ')} to the pods of ${selector}${headless}`,
  };
}
