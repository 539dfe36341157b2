import { Fault } from '../../core/errors.ts';
import { at, type Json, type JsonObject } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { isOurs } from '../../core/ours.ts';
import { listKnown } from '../kubernetes/list-known.ts';
import { nameIn } from '../kubernetes/reading.ts';
import { meansService } from '../mesh/objects.ts';

const hostsOf = (object: JsonObject): Json[] => {
  const hosts = at(object, 'spec', 'hosts') ?? [at(object, 'spec', 'host') ?? null];
  return Array.isArray(hosts) ? hosts : [hosts];
};

/**
 * The VirtualServices and DestinationRules that Shipmate made for the traffic to these Services and to nothing else: they would be
 * left without them. What somebody else made stays.
 */
export async function ownRoutes(
  kube: Kube,
  namespace: string,
  services: readonly string[],
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  if (services.length === 0) return [];
  const lists = await Promise.all(
    ['VirtualService', 'DestinationRule'].map(async (kind) => {
      const apiVersion = knownKind(kind)?.apiVersion ?? 'networking.istio.io/v1';
      // Where Shipmate may not look, it made none.
      const objects = await listKnown(kube, { kind, apiVersion, namespace }, signal).catch((thrown: unknown) => {
        if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return [];
        throw thrown;
      });
      return objects.map((object) => ({ object, ref: { apiVersion, kind, namespace, name: nameIn(object) } }));
    }),
  );
  const isTheirs = (host: Json) => services.some((service) => meansService(host, service, namespace));
  const isOfThem = (hosts: Json[]) => hosts.length > 0 && hosts.every(isTheirs);
  return lists
    .flat()
    .filter(({ object }) => isOurs(object) && isOfThem(hostsOf(object)))
    .map(({ ref }) => ref);
}
