import { setTimeout as sleep } from 'node:timers/promises';
import { endpointsOf, isReady } from '../../../core/endpoints.ts';
import { Fault } from '../../../core/errors.ts';
import type { ObjectRef } from '../../../core/kube.ts';
import type { StepContext } from '../../../core/operation.ts';
import { byWatch } from './eyes.ts';
import { deadlineOf, type Kit, settled, type Tried } from './kit.ts';

const lookMs = 250;

/** Whether a Service leads to a pod that is ready; what Shipmate may not see is taken for granted. */
async function leads({ kube, stable }: Kit, service: string, signal: AbortSignal): Promise<boolean> {
  const slices = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: stable.namespace };
  try {
    return endpointsOf(await byWatch(kube).list(slices, signal), service).some(isReady);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return true;
    throw thrown;
  }
}

/**
 * Waits until the proxies know the pods that a Service leads to by now. A pod is ready before its address is given out, and
 * that is before all proxies have heard of it: traffic that is sent there too early is answered with 503.
 */
export async function awaitKnown(kit: Kit, service: string, step: StepContext, signal: AbortSignal): Promise<Tried> {
  const { run, rollout } = kit;
  if (rollout.router.kind === 'replicas') return { kind: 'done' };
  while (!(await leads(kit, service, signal))) {
    if (run.now() >= deadlineOf(kit, step))
      return { kind: 'failed', detail: `Service/${service} leads to no pod that is ready` };
    step.note(`waits until Service/${service} leads to the pods that are ready`);
    await sleep(lookMs, undefined, { signal });
  }
  step.note('the proxies learn of the new pods');
  await sleep(rollout.reachMs, undefined, { signal });
  return { kind: 'done' };
}

/** Waits until a Deployment is as it should be, and the proxies know its pods by their Service. */
export async function settledAndKnown(
  kit: Kit,
  ref: ObjectRef,
  service: string,
  step: StepContext,
  signal: AbortSignal,
): Promise<Tried> {
  const end = await settled(kit, ref, step, signal);
  return end.kind === 'done' ? await awaitKnown(kit, service, step, signal) : end;
}
