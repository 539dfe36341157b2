import { Fault } from '../../../core/errors.ts';
import { at, type JsonObject } from '../../../core/json.ts';
import type { Kube, ObjectRef } from '../../../core/kube.ts';

/** How a canary looks at the cluster. */
export type Eyes = Pick<Kube, 'read' | 'list'>;

/** A watch that breaks is begun anew within seconds; a picture that is older than this is none of now. */
const mostAgeMs = 5_000;

/** Where there is no watch to look at, for want of a permission or of an answer, the cluster is asked. */
const unseen = new Set(['CLUSTER_FORBIDDEN', 'CLUSTER_REFUSED', 'CLUSTER_UNREACHABLE']);

/**
 * Looks by the watches that all share, which costs no request. A picture lags behind a write by a moment, so what looks
 * wrong in it is to be asked for before it counts.
 */
export function byWatch(kube: Kube): Eyes {
  const picture = async (of: Pick<ObjectRef, 'apiVersion' | 'kind' | 'namespace'>, signal: AbortSignal) => {
    try {
      const { objects, asOf } = await kube.look(of, of.namespace, signal);
      return Date.now() - asOf <= mostAgeMs ? objects : undefined;
    } catch (thrown) {
      if (thrown instanceof Fault && unseen.has(thrown.code)) return undefined;
      throw thrown;
    }
  };
  return {
    read: async (ref, signal) => {
      const objects = await picture(ref, signal);
      const named = ({ metadata }: JsonObject) => at(metadata, 'name') === ref.name;
      return objects ? objects.find(named) : await kube.read(ref, signal);
    },
    list: async (selection, signal) => [
      ...((await picture(selection, signal)) ?? (await kube.list(selection, signal))),
    ],
  };
}
