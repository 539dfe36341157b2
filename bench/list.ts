import { Agent, request } from 'undici';
import { z } from 'zod';
import { createClusters } from '../src/clients/kube/clusters.ts';
import { pageOf } from '../src/clients/kube/watch.ts';
import { at, JsonObject } from '../src/core/json.ts';
import { accessOf, clusterWorker, createMany, pod } from './cluster-ground.ts';
import { type Figure, quantile } from './figures.ts';
import type { Ground } from './ground.ts';

const pods = 5_000;
const namespace = 'crowd';
const rounds = 7;
const warmUps = 2;

const Page = z.object({ items: z.array(JsonObject), metadata: z.object({ continue: z.string().optional() }) });
const Weighed = z.object({ pods: z.number(), idle: z.number(), filled: z.number(), lookMs: z.number() });
const Counted = z.object({ connections: z.number() });

/** What a list of pods shows of each. */
const summary = (object: JsonObject) => ({
  name: at(object, 'metadata', 'name'),
  phase: at(object, 'status', 'phase'),
  node: at(object, 'spec', 'nodeName'),
  image: at(object, 'spec', 'containers', 0, 'image'),
});

async function timed(act: () => Promise<unknown[]>): Promise<number> {
  const began = performance.now();
  const found = await act();
  if (found.length !== pods) throw new Error(`${found.length} pods instead of ${pods}`);
  return performance.now() - began;
}

/** 5,000 pods listed and summarised against undici and JSON.parse of the same pages; looked at; weighed; and the connections. */
export async function list(ground: Pick<Ground, 'bed'>): Promise<Figure[]> {
  const { kubeconfig, kubectl } = ground.bed.kubernetes;
  const access = await accessOf(kubeconfig);
  await kubectl(['create', 'namespace', namespace]);
  const all = Array.from({ length: pods }, (_, n) => pod(`web-6d4cf56db6-${n}`, namespace));
  const path = `/api/v1/namespaces/${namespace}/pods`;
  await createMany(access, path, all);

  const clusters = createClusters({ kubeconfig });
  const kube = clusters.kube('default');
  const never = new AbortController().signal;
  const dispatcher = new Agent({ connect: { ca: access.ca }, connections: 3 });
  const headers = { authorization: `Bearer ${access.token}`, accept: 'application/json' };
  const bare = async () => {
    const found: unknown[] = [];
    for (let next: string | undefined = ''; next !== undefined; ) {
      const query = { limit: String(pageOf), ...(next && { continue: next }) };
      const { body } = await request(`${access.server}${path}`, { query, headers, dispatcher });
      const page = JSON.parse(await body.text());
      found.push(...page.items);
      next = page.metadata.continue;
    }
    return found;
  };
  Page.parse(JSON.parse(await (await request(`${access.server}${path}?limit=1`, { headers, dispatcher })).body.text()));
  const ours = async () => (await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace }, never)).map(summary);
  const samples = { ours: [] as number[], floor: [] as number[] };
  for (let n = 0; n < rounds + warmUps; n++) {
    const [mine, theirs] = [await timed(ours), await timed(bare)];
    if (n >= warmUps) samples.ours.push(mine) && samples.floor.push(theirs);
  }
  await Promise.all([clusters.close(), dispatcher.close()]);

  const worker = await clusterWorker(ground, { WHAT: 'memory', NAMESPACE: namespace });
  const { idle, filled, lookMs } = Weighed.parse(worker.found);
  await worker.stop();
  const busy = await clusterWorker(ground, { WHAT: 'connections', NAMESPACE: namespace, COUNT: '1000' });
  const { connections } = Counted.parse(busy.found);
  await busy.stop();
  const [mine, theirs] = [quantile(samples.ours, 0.5), quantile(samples.floor, 0.5)];
  return [
    { name: 'list', ours: mine, floor: theirs, unit: 'ms for 5,000 pods, median', limit: 1.5 },
    { name: 'look', ours: lookMs, floor: 20, unit: 'ms at 5,000 pods; the floor is what is allowed', limit: 1 },
    {
      name: 'picture',
      ours: filled - idle,
      floor: 120,
      unit: 'MB for 5,000 pods; the floor is what is allowed',
      limit: 1,
    },
    {
      name: 'connections',
      ours: connections,
      floor: 4,
      unit: 'TLS connections for 1,000 requests; the floor is what is allowed',
      limit: 1,
    },
  ];
}
