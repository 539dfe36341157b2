import { endpointsOf, isReady } from '../../core/endpoints.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { list } from '../../core/observed.ts';
import { type Find, type Finding, kubectl, nameOf } from './finding.ts';
import type { Picture } from './picture.ts';

const pairs = (labels: JsonObject) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');

const selectorOf = (service: JsonObject): JsonObject => {
  const selector = at(service, 'spec', 'selector');
  return isObject(selector) ? selector : {};
};
const labelsOf = (object: JsonObject): JsonObject => {
  const labels = at(object, 'metadata', 'labels');
  return isObject(labels) ? labels : {};
};

/** Whether a Service picks what bears these labels. One without a selector has endpoints of somebody else's making. */
function picks(service: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(selectorOf(service));
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** Meant for the app, as far as names tell: it bears the app's name, or the StatefulSet names it. */
function isMeant(service: JsonObject, { place, workload }: Picture): boolean {
  return [place.app, place.workload, text(at(workload, 'spec', 'serviceName'))].includes(nameOf(service));
}

/** A Service that is meant for the app and picks no pod at all. */
export const servicePicksNothing: Find = (picture): Finding | undefined => {
  const labels = labelsOf(picture.template);
  const lost = picture.services.find(
    (service) =>
      isMeant(service, picture) &&
      Object.keys(selectorOf(service)).length > 0 &&
      !picks(service, labels) &&
      !picture.allPods.some((pod) => picks(service, labelsOf(pod))),
  );
  if (!lost) return undefined;
  const name = nameOf(lost);
  // Null takes a key away that the pods lack.
  const keys = Object.keys(selectorOf(lost));
  const matched = at(picture.workload, 'spec', 'selector', 'matchLabels');
  const right = { ...Object.fromEntries(keys.map((key) => [key, null])), ...(isObject(matched) ? matched : labels) };
  return {
    code: 'service-selector',
    what: `the Service ${name} finds no pods`,
    cause: `It selects ${pairs(selectorOf(lost))}; the pods bear ${pairs(labels)}.`,
    remedy: 'Let it select what the pods bear:',
    command: kubectl(picture, 'patch', `service/${name}`, '-p', JSON.stringify({ spec: { selector: right } })),
  };
};

type Port = { name: string; number: number };

function portsOf({ template }: Picture): Port[] {
  const containers = list(at(template, 'spec', 'containers'));
  return containers.flatMap(({ ports }) =>
    list(ports).map(({ name, containerPort }) => ({ name: text(name), number: Number(containerPort) })),
  );
}

const portWords = (ports: readonly Port[]) =>
  ports.map(({ name, number }) => (name === '' ? String(number) : `${number} (${name})`)).join(', ') || 'none';

/** Whether the pods have that port. What they don't declare may still be listened on, so only a declared one can be missed. */
function fits(target: unknown, ports: readonly Port[]): boolean {
  if (typeof target === 'string') return ports.some(({ name }) => name === target);
  return ports.length === 0 || ports.some(({ number }) => number === target);
}

/** A Service that sends to a port that the pods don't have. */
export const servicePortMissing: Find = (picture): Finding | undefined => {
  const ports = portsOf(picture);
  for (const service of picture.services) {
    if (!picks(service, labelsOf(picture.template))) continue;
    const all = list(at(service, 'spec', 'ports'));
    const index = all.findIndex(({ port, targetPort }) => !fits(targetPort ?? port, ports));
    const wrong = all[index];
    if (!wrong) continue;
    const name = nameOf(service);
    const [only] = ports.length === 1 ? ports : [];
    const right = only ? only.name || only.number : 'PORT';
    const patch = [{ op: 'replace', path: `/spec/ports/${index}/targetPort`, value: right }];
    return {
      code: 'service-port',
      what: `the Service ${name} sends to a port that the pods don’t have`,
      cause: `Its port ${String(wrong.port)} goes to ${String(wrong.targetPort)}; the containers’ ports: ${portWords(ports)}.`,
      remedy: 'Let it send to a port that the containers have:',
      command: kubectl(picture, 'patch', `service/${name}`, '--type=json', '-p', JSON.stringify(patch)),
    };
  }
  return undefined;
};

/** The pods are ready, and yet no address of theirs is given out. */
export const noEndpoints: Find = (picture): Finding | undefined => {
  const anyReady = picture.pods.some((pod) =>
    list(at(pod, 'status', 'conditions')).some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
  const service = picture.services.find((each) => picks(each, labelsOf(picture.template)));
  if (!anyReady || !service || picture.unseen.some((part) => part.startsWith('EndpointSlice'))) return undefined;
  if (endpointsOf(picture.slices, nameOf(service)).some(isReady)) return undefined;
  return {
    code: 'no-endpoints',
    what: `the Service ${nameOf(service)} has no endpoints`,
    cause: 'Its pods are ready, but none of them is among its endpoints (yet).',
    remedy: 'If it stays so for a minute, see whether the controller manager runs:',
    command: kubectl(picture, 'get', 'endpointslices', '-l', `kubernetes.io/service-name=${nameOf(service)}`),
  };
};
