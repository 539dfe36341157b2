import { at } from '../../../core/json.ts';
import type { RolloutPlan } from '../../../core/rollout.ts';
import { scalerKinds } from '../../workloads/scaler.ts';
import type { Kit } from './kit.ts';

/** The least count that the canary has set. Where another one stands there, somebody else's wish has come in between. */
const heldAnnotation = 'shipmate.dev/held-at';

function scalerIn({ run, rollout }: Kit) {
  const { scaler } = rollout;
  if (!scaler) return undefined;
  const { kind = 'HorizontalPodAutoscaler', name, min } = scaler;
  const { apiVersion, min: field } = scalerKinds[kind];
  return { ref: { apiVersion, kind, namespace: run.place.namespace, name }, field, min };
}

/** With less traffic an autoscaler would take stable's pods away, and they would be missing when the traffic comes back. */
export async function holdScaler(kit: Kit, pods: number, signal: AbortSignal): Promise<void> {
  const scaler = scalerIn(kit);
  if (!scaler || pods <= scaler.min) return;
  const { ref, field } = scaler;
  const annotations = { [heldAnnotation]: String(pods) };
  await kit.kube.merge(ref, { metadata: { annotations }, spec: { [field]: pods } }, {}, signal);
}

/** Plans of before Shipmate marked what it set name no kind. */
const isMarked = (scaler: RolloutPlan['scaler']) => scaler?.kind !== undefined;

/** The autoscaler decides again as before. */
export async function freeScaler(kit: Kit, signal: AbortSignal): Promise<void> {
  const scaler = scalerIn(kit);
  const live = scaler && (await kit.kube.read(scaler.ref, signal));
  if (!scaler || !live) return;
  const { ref, field, min } = scaler;
  const held = at(live, 'metadata', 'annotations', heldAnnotation);
  if (isMarked(kit.rollout.scaler) && held === undefined) return;
  const theirs = held !== undefined && held !== String(at(live, 'spec', field));
  const metadata = { annotations: { [heldAnnotation]: null } };
  await kit.kube.merge(ref, { metadata, ...(!theirs && { spec: { [field]: min } }) }, {}, signal);
}
