import { at, isObject, type Json, type JsonObject } from '../../../core/json.ts';
import { type Labels, labelsOf } from '../../../core/label-selector.ts';
import { ownLabels } from '../../../core/ours.ts';
import type { Place } from '../../../core/place.ts';

type Names = Pick<Place, 'namespace'> & { canary: string };

/** Without what only the API server knows, and without the nulls that it writes for what is not set. */
function given(value: Json): Json {
  if (Array.isArray(value)) return value.map(given);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== null);
  return Object.fromEntries(entries.map(([key, part]) => [key, given(part)]));
}

type Marks = { labels: Labels; annotations: Labels };

/** Istio's own marks of an object decide whether, where, and by which of its control planes it is enforced. */
export function marksOf(object: JsonObject): Marks {
  const own = (part: keyof Marks) =>
    Object.fromEntries(
      Object.entries(labelsOf(at(object, 'metadata', part))).filter(([key]) => key.startsWith('istio.io/')),
    );
  return { labels: own('labels'), annotations: own('annotations') };
}

export const metadataOf = ({ namespace, canary }: Names, { labels, annotations }: Partial<Marks> = {}): JsonObject => ({
  name: canary,
  namespace,
  labels: { ...labels, ...ownLabels },
  ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
});

/**
 * The Deployment beside stable: as stable will be, under other labels. How many pods it has is decided as it goes; where they
 * are the share (`byReplicas`), none before it is given one.
 */
export function canaryDeployment(
  after: JsonObject,
  names: Names,
  labels: Record<string, string>,
  byReplicas: boolean,
): JsonObject {
  const { replicas: _, selector, paused: __, template, ...spec } = isObject(after.spec) ? after.spec : {};
  const keys = Object.keys(labelsOf(at(selector, 'matchLabels')));
  const matchLabels = Object.fromEntries(Object.entries(labels).filter(([key]) => keys.includes(key)));
  const track = Object.entries(labels).at(-1) ?? ['', ''];
  const metadata = at(template, 'metadata');
  const pods = {
    ...(isObject(template) ? template : {}),
    metadata: { ...(isObject(metadata) ? metadata : {}), labels },
  };
  const whole = given({
    ...spec,
    ...(byReplicas && { replicas: 0 }),
    selector: { matchLabels: { ...matchLabels, [track[0]]: track[1] } },
    template: pods,
  });
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadataOf(names), spec: whole };
}

/** The Service that leads to the canary's pods alone: what the router sends its share to, and where one may look at it. */
export function canaryService(service: JsonObject, names: Names, labels: Record<string, string>): JsonObject {
  const ports = at(service, 'spec', 'ports');
  const plain = (Array.isArray(ports) ? ports : []).filter(isObject).map(({ nodePort: _, ...port }) => port);
  const headless: JsonObject = at(service, 'spec', 'clusterIP') === 'None' ? { clusterIP: 'None' } : {};
  const own = Object.keys(labelsOf(at(service, 'spec', 'selector')));
  const track = Object.entries(labels).at(-1) ?? ['', ''];
  const selector = {
    ...Object.fromEntries(Object.entries(labels).filter(([key]) => own.includes(key))),
    [track[0]]: track[1],
  };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(names, marksOf(service)),
    spec: { type: 'ClusterIP', ...headless, ports: plain, selector },
  };
}

/** The same treatment for the canary's traffic as for stable's: connections, outliers, TLS. */
export function canaryRule(rule: JsonObject, names: Names): JsonObject | undefined {
  const trafficPolicy = at(rule, 'spec', 'trafficPolicy');
  const exportTo = at(rule, 'spec', 'exportTo');
  if (!isObject(trafficPolicy)) return undefined;
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: metadataOf(names, marksOf(rule)),
    spec: { host: names.canary, trafficPolicy, ...(exportTo !== undefined && { exportTo }) },
  };
}
