import { at, type JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import { ObjectName } from '../../core/place.ts';
import { missing } from '../kubernetes/writes.ts';
import { listOf, nameIn, refTo } from './found.ts';

export const NodeName = ObjectName.describe('A node of the environment’s cluster').meta({ examples: ['node-1'] });

/** The node. @throws Fault NO_SUCH_OBJECT, with the nearest name */
export async function nodeCalled(kube: Kube, name: string, signal: AbortSignal): Promise<JsonObject> {
  const ref = refTo('Node', '', name);
  const found = await kube.read(ref, signal);
  if (found) return found;
  const all = await kube.list({ apiVersion: ref.apiVersion, kind: ref.kind, namespace: '' }, signal);
  throw missing(ref, didYouMean(name, all.map(nameIn)));
}

export const isCordoned = (node: JsonObject): boolean => at(node, 'spec', 'unschedulable') === true;

/** The taints that somebody put there; those of cordon and pressure are shown in other words. */
export function taintsOf(node: JsonObject): string[] {
  return listOf(at(node, 'spec', 'taints'))
    .filter(({ key }) => !String(key).startsWith('node.kubernetes.io/'))
    .map(({ key, value, effect }) => `${key}${value === undefined ? '' : `=${value}`}:${effect}`);
}
