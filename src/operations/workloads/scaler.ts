import { Fault, fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import type { Place } from '../../core/place.ts';
import type { ScalerKind } from '../../core/rollout.ts';

/** What scales a workload by itself, and between which counts. */
export type Scaler = { kind: ScalerKind; name: string; min: number; max: number };

/** The fields of each kind for its least and its largest count, and the least one where nothing is said. */
export const scalerKinds = {
  ScaledObject: { apiVersion: 'keda.sh/v1alpha1', min: 'minReplicaCount', max: 'maxReplicaCount', least: 0 },
  HorizontalPodAutoscaler: { apiVersion: 'autoscaling/v2', min: 'minReplicas', max: 'maxReplicas', least: 1 },
} as const satisfies Record<ScalerKind, object>;
/** KEDA's ScaledObject comes before the autoscaler that KEDA makes of it, and sets back. */
const kinds: readonly ScalerKind[] = ['ScaledObject', 'HorizontalPodAutoscaler'];

/** KEDA's own default. https://keda.sh/docs/latest/reference/scaledobject-spec/ */
const kedaMost = 100;

/** A cluster without KEDA, or one that does not let Shipmate look, has none that Shipmate could name. */
async function listed(kube: Kube, ref: ObjectRef, kind: ScalerKind, signal: AbortSignal) {
  try {
    return await kube.list({ apiVersion: scalerKinds[kind].apiVersion, kind, namespace: ref.namespace }, signal);
  } catch (thrown) {
    const absent = ['CLUSTER_REFUSED', 'CLUSTER_FORBIDDEN', 'UNKNOWN_KIND'];
    if (kind === 'ScaledObject' && thrown instanceof Fault && absent.includes(thrown.code)) return [];
    throw thrown;
  }
}

function targets(scaler: JsonObject, { kind, name }: ObjectRef): boolean {
  const target = at(scaler, 'spec', 'scaleTargetRef');
  return at(target, 'name') === name && (at(target, 'kind') ?? 'Deployment') === kind;
}

/** The autoscalers that a workload has; KEDA's ScaledObject before the autoscaler that KEDA makes of it. */
export async function scalersOf(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<Scaler[]> {
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const { min, max, least } = scalerKinds[kind];
      const objects = (await listed(kube, ref, kind, signal)).filter((object) => targets(object, ref));
      return objects.map((object) => ({
        kind,
        name: String(at(object, 'metadata', 'name')),
        min: Number(at(object, 'spec', min) ?? least),
        max: Number(at(object, 'spec', max) ?? kedaMost),
      }));
    }),
  );
  return found.flat();
}

const spoken = ({ kind, name, min, max }: Scaler) => `${kind}/${name}, between ${min} and ${max}`;

/**
 * An autoscaler takes a number set by hand back within seconds; only zero, and what leads away from it, a
 * HorizontalPodAutoscaler leaves alone.
 * @throws Fault AUTOSCALED, with the command that changes the autoscaler
 */
export async function refuseAutoscaled(
  kube: Kube,
  ref: ObjectRef,
  { app, env }: Place,
  { now, to }: { now: number; to: number },
  signal: AbortSignal,
): Promise<void> {
  const [scaler] = await scalersOf(kube, ref, signal);
  if (!scaler) return;
  const leaves = scaler.kind === 'HorizontalPodAutoscaler' && (to === 0 || now === 0);
  if (leaves) return;
  const range = `${Math.max(1, Math.min(scaler.min, to))}..${Math.max(scaler.max, to, 1)}`;
  const commands = {
    HorizontalPodAutoscaler: `/ship autoscale ${app} ${range} in ${env}`,
    ScaledObject: `/ship keda pause ${scaler.name} in ${env} replicas=${to}`,
  };
  throw fault('AUTOSCALED', {
    app,
    env,
    scaler: spoken(scaler),
    command: commands[scaler.kind],
  });
}
