import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { containersOf } from '../delivery/workload.ts';
import { listOf, nameIn, pointsTo, refTo } from './found.ts';

/** Refuses what has no replica count of its own. @throws Fault BAD_INPUT */
export function checkScalable({ kind, name }: ObjectRef): void {
  if (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'Rollout') return;
  const why = kind === 'DaemonSet' ? 'it runs one pod on each node' : 'it ends by itself';
  throw fault('BAD_INPUT', { problem: `${kind}/${name} cannot be autoscaled: ${why}.` });
}

/** Who makes an autoscaler, where it is not made by hand: KEDA makes one for each ScaledObject. */
function makerOf(hpa: JsonObject): string | undefined {
  const owner = listOf(at(hpa, 'metadata', 'ownerReferences')).find(({ controller }) => controller === true);
  return owner && `${text(owner.kind)}/${text(owner.name)}`;
}

/**
 * The autoscaler of a workload, if it has one.
 * @throws Fault MANAGED_ELSEWHERE where something else makes it; BAD_INPUT where there are two, or where the name is taken
 */
export async function autoscalerOf(
  kube: Kube,
  target: ObjectRef,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const { apiVersion, kind, namespace } = refTo('HorizontalPodAutoscaler', target.namespace, '');
  const all = await kube.list({ apiVersion, kind, namespace }, signal);
  const [found, second] = all.filter((hpa) => pointsTo(at(hpa, 'spec', 'scaleTargetRef'), target));
  const which = `${target.kind}/${target.name}`;
  if (found && second) {
    const problem = `${nameIn(found)} and ${nameIn(second)} both scale ${which}, and pull it to and fro. Delete one of them first.`;
    throw fault('BAD_INPUT', { problem });
  }
  const taken = !found && all.find((hpa) => nameIn(hpa) === target.name);
  if (taken) {
    const other = `${text(at(taken, 'spec', 'scaleTargetRef', 'kind'))}/${text(at(taken, 'spec', 'scaleTargetRef', 'name'))}`;
    throw fault('BAD_INPUT', { problem: `The autoscaler ${target.name} is there already, and scales ${other}.` });
  }
  const owner = found && makerOf(found);
  if (found && owner !== undefined) throw fault('MANAGED_ELSEWHERE', { kind, name: nameIn(found), owner });
  return found;
}

/** The containers that ask for nothing of a resource. A limit alone counts as a request. */
function lacking(workload: JsonObject, resource: string): string[] {
  const asks = (container: JsonObject, field: string) => at(container, 'resources', field, resource) !== undefined;
  return containersOf(workload)
    .filter((container) => !asks(container, 'requests') && !asks(container, 'limits'))
    .map(({ name }) => text(name));
}

/**
 * A share needs something that it is a share of: without requests the autoscaler would stand still for ever, and say so
 * nowhere but in its status. @throws Fault BAD_INPUT
 */
export async function checkRequests(
  kube: Kube,
  workload: JsonObject,
  metrics: readonly JsonObject[],
  signal: AbortSignal,
): Promise<void> {
  const shares = metrics.filter((metric) => at(metric, 'resource', 'target', 'averageUtilization') !== undefined);
  const wanting = shares
    .map((metric) => text(at(metric, 'resource', 'name')))
    .map((resource) => ({ resource, containers: lacking(workload, resource) }))
    .find(({ containers }) => containers.length > 0);
  if (!wanting) return;
  const { resource, containers } = wanting;
  const namespace = text(at(workload, 'metadata', 'namespace'));
  const ranges = await kube.list({ apiVersion: 'v1', kind: 'LimitRange', namespace }, signal);
  const given = ranges
    .flatMap((range) => listOf(at(range, 'spec', 'limits')))
    .some(
      (limit) => at(limit, 'defaultRequest', resource) !== undefined || at(limit, 'default', resource) !== undefined,
    );
  if (given) return;
  const which = `${containers.join(' and ')} ${containers.length > 1 ? 'ask' : 'asks'}`;
  const amount = resource === 'cpu' ? 'cpu=500m' : 'memory=300Mi';
  const problem = `${which} for no ${resource}, so there is nothing that a percentage could be of. Set a request first, or give an average a pod, such as ${amount}.`;
  throw fault('BAD_INPUT', { problem });
}
