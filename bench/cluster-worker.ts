import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClusters } from '../src/clients/kube/clusters.ts';
import type { ObjectRef } from '../src/core/kube.ts';

/**
 * A process with one cluster's client and nothing else, for what is measured of a whole process: memory, CPU,
 * connections. It does what WHAT says, and prints `ready JSON`.
 */
const { KUBECONFIG = '', WHAT = '', NAMESPACE = '', COUNT = '0' } = process.env;
const count = Number(COUNT);
const counted = { requests: 0, connections: 0 };
channel('undici:request:create').subscribe(() => {
  counted.requests += 1;
});
channel('undici:client:connected').subscribe(() => {
  counted.connections += 1;
});
const never = new AbortController().signal;
const kube = createClusters({ kubeconfig: KUBECONFIG }).kube('default');
const deployment = (n: number): ObjectRef => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: NAMESPACE,
  name: `fleet-${n}`,
});
/** Resident memory once garbage is collected: V8 gives pages back some time after. */
const residentMb = async () => {
  for (let n = 0; n < 3; n++) {
    globalThis.gc?.();
    await sleep(1_000);
  }
  return process.memoryUsage().rss / 2 ** 20;
};
const say = (found: object) => console.log(`ready ${JSON.stringify(found)}`);

/** Follows all rollouts at once, for ever; says when each was seen once. */
async function fleet(): Promise<void> {
  const seen = Array.from({ length: count }, (_, n) => {
    const first = Promise.withResolvers<void>();
    const options = { run: 'bench', deadline: Number.POSITIVE_INFINITY, seen: () => first.resolve() };
    kube.follow(deployment(n), options, never).catch(first.reject);
    return first.promise;
  });
  await Promise.all(seen);
  say(counted);
}

/** What 5,000 pods in the shared picture weigh, and how long a look at them takes. */
async function memory(): Promise<void> {
  await kube.version(never);
  const idle = await residentMb();
  const { objects } = await kube.look('Pod', NAMESPACE, never);
  const filled = await residentMb();
  const began = performance.now();
  const again = await kube.look('Pod', NAMESPACE, never);
  const lookMs = performance.now() - began;
  say({ pods: objects.length, again: again.objects.length, idle, filled, lookMs });
}

/** A thousand requests of all kinds at once. */
async function connections(): Promise<void> {
  const read = (n: number) => kube.read(deployment(n % 10), never);
  await Promise.all(Array.from({ length: count }, (_, n) => read(n)));
  await Promise.all([kube.look('Pod', NAMESPACE, never), kube.look('ConfigMap', NAMESPACE, never)]);
  say(counted);
}

const deeds: Record<string, () => Promise<void>> = { fleet, memory, connections };
await deeds[WHAT]?.();
setInterval(() => {}, 60_000);
