import type { Json, JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';
import type { Labels } from '../../../core/label-selector.ts';
import { labelsOfAll, type NewWorkloadPart, type NewWorkloads } from '../../../core/new-workloads.ts';
import { overlay } from '../../../core/ownership.ts';
import type { Place } from '../../../core/place.ts';
import type { Resources } from '../fields.ts';
import { workloadRef } from '../workload.ts';

/** What is known of a workload that is to be. */
export type Wanted = {
  place: Place;
  container: string;
  rules: NewWorkloads;
  ports: readonly number[];
  /** The path that probes ask for. */
  probe: string | undefined;
  resources: Resources | undefined;
  /** The resources that a LimitRange of the namespace speaks of. */
  limited: ReadonlySet<string>;
  securityContext: JsonObject | undefined;
  /** The Service by which a StatefulSet's pods have names. */
  governing: string | undefined;
  /** Whether the cluster can let a container wait before its end by itself. */
  sleeps: boolean;
};

export const has = ({ leaveOut }: NewWorkloads, part: NewWorkloadPart): boolean => !leaveOut.includes(part);

/** What its pods are found by: never more than this, since it can't be changed later. */
export const selectorOf = ({ workload }: Place): Labels => ({ 'app.kubernetes.io/name': workload });

/** What the workload, its pods and its Service bear. */
export const labelsFor = (place: Place, rules: NewWorkloads): Record<string, string> => ({
  ...labelsOfAll(rules),
  ...selectorOf(place),
});

/** What somebody has said anything of, be it who asks or a LimitRange of the namespace, is theirs alone: half of each may not fit. */
function resourcesFor({ rules, resources, limited }: Wanted): JsonObject | undefined {
  if (!has(rules, 'requests')) return undefined;
  const free = (['cpu', 'memory'] as const).filter(
    (each) =>
      !limited.has(each) && resources?.requests?.[each] === undefined && resources?.limits?.[each] === undefined,
  );
  const amounts = (of: { cpu?: string | undefined; memory?: string | undefined }): JsonObject =>
    Object.fromEntries(free.flatMap((each) => (of[each] === undefined ? [] : [[each, of[each]]])));
  const [requests, limits] = [amounts(rules.requests), amounts(rules.limits)];
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

/** The paths that the first port is asked for. A wrong liveness probe ends pods that are well, so only settings name one. */
export const pathsOf = ({ rules, probe }: Pick<Wanted, 'rules' | 'probe'>): NewWorkloads['probes'] => ({
  ...rules.probes,
  ...(probe !== undefined && { readiness: probe, startup: probe }),
});

/** A slow start has five minutes; after it a pod that answers no more is out of the Service within a quarter of a minute. */
function probesFor(wanted: Wanted): JsonObject {
  const [port] = wanted.ports;
  if (port === undefined) return {};
  const { readiness, liveness, startup } = pathsOf(wanted);
  const get = (path: string, more: JsonObject): JsonObject => ({ httpGet: { path, port }, timeoutSeconds: 2, ...more });
  return {
    ...(startup !== undefined && { startupProbe: get(startup, { periodSeconds: 2, failureThreshold: 150 }) }),
    ...(readiness !== undefined && { readinessProbe: get(readiness, { periodSeconds: 5, failureThreshold: 3 }) }),
    ...(liveness !== undefined && { livenessProbe: get(liveness, { periodSeconds: 10, failureThreshold: 6 }) }),
  };
}

/**
 * Over nodes as evenly as there is room. Each version for itself, where Kubernetes marks a version's pods so that it can be told
 * (Deployments): while it is rolled out, the old ones would count as well. A DaemonSet has one on each anyway.
 */
function spreadFor({ place, rules }: Wanted): JsonObject {
  if (!has(rules, 'spread') || place.kind === 'DaemonSet') return {};
  return {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { ...selectorOf(place) } },
        ...(place.kind === 'Deployment' && { matchLabelKeys: ['pod-template-hash'] }),
      },
    ],
  };
}

/** Requests still come for a moment after a pod is told to end: it goes on answering them. */
function waitFor({ rules, sleeps }: Wanted): JsonObject {
  const { preStopSeconds: seconds } = rules;
  return has(rules, 'gracefulEnd') && sleeps && seconds > 0 ? { lifecycle: { preStop: { sleep: { seconds } } } } : {};
}

/** A new workload: what Kubernetes needs, what it gets by the settings, and over it what was asked for. */
export function freshWorkload(wanted: Wanted, change: JsonObject): JsonObject {
  const { place, container: name, rules, securityContext, governing } = wanted;
  const { apiVersion, kind, namespace, name: called } = workloadRef(place);
  const labels = labelsFor(place, rules);
  const resources = resourcesFor(wanted);
  const container: JsonObject = {
    name,
    ...(resources && Object.keys(resources).length > 0 && { resources }),
    ...(securityContext && { securityContext }),
    ...probesFor(wanted),
    ...waitFor(wanted),
  };
  const pod: JsonObject = {
    ...(has(rules, 'gracefulEnd') && { terminationGracePeriodSeconds: rules.terminationGracePeriodSeconds }),
    ...spreadFor(wanted),
    containers: [container],
  };
  const base: Json = {
    apiVersion,
    kind,
    metadata: { name: called, namespace, labels },
    spec: {
      ...(kind === 'StatefulSet' && governing !== undefined && { serviceName: governing }),
      selector: { matchLabels: { ...selectorOf(place) } },
      template: { metadata: { labels }, spec: pod },
    },
  };
  const merged = overlay(base, change);
  return isObject(merged) ? merged : change;
}
