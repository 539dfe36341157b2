import { expect } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { JsonObject as AnObject, at } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';

/** Workloads of the bed's own images, made and looked at with kubectl as somebody else would. */

export const web = (tag: string) => `${bed.registryHost}/web:${tag}`;

/** A pod template; `sleeps` gives a pod that only waits, and ends at once when it is told to. */
export function template(name: string, image: string, container: JsonObject = {}): JsonObject {
  return {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name, image, ...container }] },
  };
}

export const sleeps: JsonObject = { args: ['sleep', '3600'] };

/** A workload with what its kind needs; `spec` comes over it. */
export function workload(
  kind: string,
  name: string,
  namespace: string,
  pods: JsonObject,
  spec: JsonObject = {},
): JsonObject {
  const selector = { matchLabels: { app: name } };
  const count: JsonObject = kind === 'DaemonSet' ? {} : { replicas: 1 };
  return {
    apiVersion: kind === 'Rollout' ? 'argoproj.io/v1alpha1' : 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: { ...count, selector, template: pods, ...(kind === 'StatefulSet' && { serviceName: name }), ...spec },
  };
}

/** Applies objects as kubectl does. */
export async function put(...objects: JsonObject[]): Promise<void> {
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

export async function get(namespace: string, kind: string, name: string): Promise<JsonObject> {
  return AnObject.parse(JSON.parse(await kubectl(['get', kind, name, '-n', namespace, '-o', 'json'])));
}

export async function names(namespace: string, kind: string, selector = ''): Promise<string[]> {
  const out = await kubectl(['get', kind, '-n', namespace, '-o', 'name', ...(selector ? ['-l', selector] : [])]);
  return out.split('\n').filter(Boolean);
}

export async function field(
  namespace: string,
  kind: string,
  name: string,
  ...path: (string | number)[]
): Promise<Json | undefined> {
  return at(await get(namespace, kind, name), ...path);
}

/** Waits until kubectl calls its rollout through. */
export async function rolledOut(namespace: string, kind: string, name: string): Promise<void> {
  await kubectl(['rollout', 'status', `${kind}/${name}`, '-n', namespace, '--timeout=50s']);
}

export const image = (kind: string, namespace: string, name: string) =>
  field(namespace, kind, name, 'spec', 'template', 'spec', 'containers', 0, 'image');

/** Polls until kubectl sees the value. */
export async function comesTo(look: () => Promise<unknown>, wanted: unknown): Promise<void> {
  await expect.poll(look, { timeout: 30_000, interval: 300 }).toEqual(wanted);
}
