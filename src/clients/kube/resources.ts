import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { type Kind, type KindName, kinds, knownKind } from '../../core/kinds.ts';
import type { ObjectRef } from '../../core/kube.ts';
import { inPath } from '../../core/url-part.ts';
import { type Connection, RefusedCall } from './connection.ts';

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The address of all objects of a kind: in a namespace, or everywhere where `namespace` is empty. */
export function collectionPath({ apiVersion, plural, clusterWide }: Kind, namespace: string): string {
  const within = clusterWide || namespace === '' ? '' : `/namespaces/${inPath(namespace)}`;
  return `${rootOf(apiVersion)}${within}/${plural}`;
}

/** The address of one object. */
export function objectPath(kind: Kind, { namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string {
  return `${collectionPath(kind, namespace)}/${inPath(name)}`;
}

/** A kind of the table. */
export function kindNamed(name: KindName): Kind {
  const found = kinds.find(({ kind }) => kind === name);
  if (!found) throw fault('INTERNAL', { problem: `no address known for the kind ${name}`, run: '' });
  return found;
}

const ResourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/** Kinds beyond the table, as each cluster's discovery has them. */
const discovered = new WeakMap<Connection, Map<string, Kind>>();

/**
 * How the cluster addresses a kind: from the table, or from its discovery.
 * @throws Fault UNKNOWN_KIND
 */
export async function kindOf(
  connection: Connection,
  { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>,
  signal: AbortSignal,
): Promise<Kind> {
  const known = knownKind(kind, apiVersion) ?? discovered.get(connection)?.get(`${apiVersion} ${kind}`);
  if (known) return known;
  const unknown = () => fault('UNKNOWN_KIND', { cluster: connection.cluster, kind, apiVersion });
  if (!/^([a-z0-9.-]+\/)?v[a-z0-9]+$/.test(apiVersion)) throw unknown();
  const answer = await connection.call({ method: 'GET', path: rootOf(apiVersion), signal }).catch((thrown: unknown) => {
    throw thrown instanceof RefusedCall && thrown.refusal.status === 404 ? unknown() : thrown;
  });
  const cache = discovered.get(connection) ?? new Map<string, Kind>();
  discovered.set(connection, cache);
  for (const { name, kind: found, namespaced } of ResourceList.parse(answer).resources) {
    if (name.includes('/')) continue; // a subresource
    cache.set(`${apiVersion} ${found}`, {
      kind: found,
      apiVersion,
      plural: name,
      ...(!namespaced && { clusterWide: true }),
    });
  }
  const found = cache.get(`${apiVersion} ${kind}`);
  if (!found) throw unknown();
  return found;
}
