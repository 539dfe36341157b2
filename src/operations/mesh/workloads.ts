import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { locate, type Place } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { workloadRef } from '../delivery/workload.ts';
import { entries } from '../kubernetes/reading.ts';
import { missing } from '../kubernetes/writes.ts';

export const workloadPermissions = [
  'get deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch,jobs.batch,rollouts.argoproj.io',
] as const;

/** An app as the mesh sees it: the labels of its pods, and the service account that they call others as. */
export type Meshed = { place: Place; labels: JsonObject; account: string };

/** @throws Fault NO_SUCH_OBJECT */
export async function meshed(
  kube: Kube,
  settings: Settings,
  target: { app: string; env: string },
  signal: AbortSignal,
): Promise<Meshed> {
  const place = locate(settings, target);
  const ref = workloadRef(place);
  const workload = await kube.read(ref, signal);
  if (!workload) throw missing(ref);
  const template = at(workload, 'spec', 'jobTemplate', 'spec', 'template') ?? at(workload, 'spec', 'template');
  const chosen = at(workload, 'spec', 'selector', 'matchLabels') ?? at(template, 'metadata', 'labels');
  const account = text(at(template, 'spec', 'serviceAccountName')) || 'default';
  return { place, labels: isObject(chosen) ? chosen : {}, account };
}

/** Whether a policy of the mesh is about pods with these labels: it has no selector, or one that they bear. */
export function isAbout(policy: JsonObject, labels: JsonObject): boolean {
  const wanted = entries(at(policy, 'spec', 'selector', 'matchLabels'));
  return wanted.every(([key, value]) => labels[key] === value);
}

/** Whether it is about the whole namespace. */
export const isForAll = (policy: JsonObject): boolean =>
  entries(at(policy, 'spec', 'selector', 'matchLabels')).length === 0;
