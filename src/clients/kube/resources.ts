import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { ObjectRef } from '../../core/ports.ts';

/** Kinds that are spoken of, with the name their addresses bear. */
const plurals: Record<string, string> = { Deployment: 'deployments', ReplicaSet: 'replicasets', Pod: 'pods' };

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The address of all objects of a kind in a namespace. */
export function listPath(apiVersion: string, kind: string, namespace: string): string {
  const plural = plurals[kind];
  if (plural === undefined) throw fault('INTERNAL', { problem: `no address known for the kind ${kind}`, run: '' });
  return `${rootOf(apiVersion)}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** The address of one object. */
export function objectPath({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return `${listPath(apiVersion, kind, namespace)}/${encodeURIComponent(name)}`;
}

/** What a manifest is a manifest of. */
export function refOf(manifest: JsonObject): ObjectRef {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    apiVersion: text(manifest.apiVersion),
    kind: text(manifest.kind),
    namespace: text(at(manifest, 'metadata', 'namespace')),
    name: text(at(manifest, 'metadata', 'name')),
  };
}

/** What picks a workload's pods, as a query has it: `app=web,tier=front`. */
export function selectorOf(workload: JsonObject): string {
  const labels = Object.entries(at(workload, 'spec', 'selector', 'matchLabels') ?? {});
  return labels.map(([name, value]) => `${name}=${value}`).join(',');
}
