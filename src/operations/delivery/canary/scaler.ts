import type { Kit } from './kit.ts';

const scalerRef = ({ run, rollout }: Kit) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  namespace: run.place.namespace,
  name: rollout.scaler?.name ?? '',
});

/** With less traffic an autoscaler would take stable's pods away, and they would be missing when the traffic comes back. */
export async function holdScaler(kit: Kit, pods: number, signal: AbortSignal): Promise<void> {
  const { scaler } = kit.rollout;
  if (scaler && pods > scaler.min) await kit.kube.merge(scalerRef(kit), { spec: { minReplicas: pods } }, {}, signal);
}

/** The autoscaler decides again as before. */
export async function freeScaler(kit: Kit, signal: AbortSignal): Promise<void> {
  const { scaler } = kit.rollout;
  if (scaler) await kit.kube.merge(scalerRef(kit), { spec: { minReplicas: scaler.min } }, {}, signal);
}
