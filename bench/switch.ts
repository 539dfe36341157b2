import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { createClusters } from '../src/clients/kube/clusters.ts';
import { RolloutPlan } from '../src/core/rollout.ts';
import { setShare } from '../src/operations/delivery/canary/router.ts';
import type { Mesh } from '../testbed/mesh/mesh.ts';
import { accessOf } from './cluster-ground.ts';
import { type Figure, quantile } from './figures.ts';
import type { Ground } from './ground.ts';
import { ask, meshGround, namespace } from './mesh-ground.ts';

const rounds = 20;
const ref = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace, name: 'shop' };
const plan = RolloutPlan.parse({
  strategy: 'canary',
  stages: [{ weight: 100 }],
  stable: 'shop',
  canary: 'shop-canary',
  service: 'shop',
  ports: [80],
  router: { kind: 'istio', ref, created: false },
  watchMs: 0,
  drainMs: 0,
  reachMs: 0,
});

/** Asks without a pause until the version answers. */
async function untilVersion(mesh: Mesh, version: string): Promise<void> {
  while ((await ask(mesh)).version !== version);
}

/** From the decision to the first request on the new share at Envoy, against a bare PATCH of the VirtualService. */
export async function switchShare(ground: Ground): Promise<Figure> {
  const mesh = await meshGround(ground, true);
  const { kubeconfig } = ground.bed.kubernetes;
  const clusters = createClusters({ kubeconfig, named: () => ({}) });
  const kube = clusters.kube('default');
  const { server, ca, token } = await accessOf(kubeconfig);
  const dispatcher = new Agent({ connect: { ca } });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' };
  const path = `${server}/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices/shop`;
  const bare = async (weight: number) => {
    const route = [
      { destination: { host: 'shop' }, weight: 100 - weight },
      { destination: { host: 'shop-canary' }, weight },
    ];
    const body = JSON.stringify({ spec: { http: [{ route }] } });
    const answer = await request(path, { method: 'PATCH', headers, body, dispatcher });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
  };
  const ours = async () => void (await setShare(kube, plan, { weight: 100 }, 'bench', AbortSignal.timeout(10_000)));
  const timed = async (act: () => Promise<void>) => {
    await bare(0);
    await untilVersion(mesh, 'v1');
    await sleep(1_000);
    const began = performance.now();
    await act();
    await untilVersion(mesh, 'v2');
    return performance.now() - began;
  };
  const [a, b]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0;
    if (first) a.push(await timed(ours));
    b.push(await timed(() => bare(100)));
    if (!first) a.push(await timed(ours));
  }
  await clusters.close();
  await dispatcher.close();
  return { name: 'switch', ours: quantile(a, 0.5), floor: quantile(b, 0.5), unit: 'ms, median', limit: 1.3 };
}
