import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type Access, accessOf } from './cluster-ground.ts';
import { type Figure, quantile } from './figures.ts';
import type { Ground } from './ground.ts';
import { startFloor } from './process.ts';

const rounds = 40;
/** Until the just-in-time compiler has seen enough, on both sides. */
const warmUps = 60;

const Event = z.object({
  object: z.object({ metadata: z.object({ name: z.string() }), spec: z.object({ replicas: z.number() }) }),
});

/** A Deployment whose pods never start: what is measured is the spec, not the nodes. */
const manifest = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'staging' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { nodeSelector: { nowhere: 'yes' }, containers: [{ name, image: 'none' }] },
    },
  },
});

/** Tells when a Deployment's spec has so many replicas, as a watch sees it. */
async function watchSpecs({ server, ca, token }: Access) {
  const dispatcher = new Agent({ connect: { ca } });
  const url = `${server}/apis/apps/v1/namespaces/staging/deployments?watch=true`;
  const { body } = await request(url, { dispatcher, headers: { authorization: `Bearer ${token}` }, bodyTimeout: 0 });
  const waiting = new Map<string, () => void>();
  const lines = createInterface({ input: body });
  lines.on('error', () => {}); // how a watch ends that we stop ourselves
  lines.on('line', (line) => {
    const { object } = Event.parse(JSON.parse(line));
    waiting.get(`${object.metadata.name}=${object.spec.replicas}`)?.();
  });
  return {
    until: (name: string, replicas: number) =>
      new Promise<void>((resolve) => waiting.set(`${name}=${replicas}`, resolve)),
    stop: () => dispatcher.destroy(),
  };
}

/** Median from a command's arrival to the new spec in the API server, against a bare BullMQ job that sends the same patch. */
export async function effect(ground: Ground): Promise<Figure> {
  const { bed, slack } = ground;
  await bed.kubernetes.kubectl(['create', 'namespace', 'staging']);
  for (const name of ['web', 'floor'])
    await bed.kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(manifest(name)));
  const access = await accessOf(bed.kubernetes.kubeconfig);
  const env = {
    REDIS_URL: bed.redis.url,
    SERVER: access.server,
    CA: access.ca,
    TOKEN: access.token,
    NAMESPACE: 'staging',
  };
  const [floor, specs] = [
    await startFloor(new URL('./floor-worker.ts', import.meta.url), env),
    await watchSpecs(access),
  ];
  const shipmate = [await ground.start('bot'), await ground.start('worker')];
  const connection = new Redis(bed.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue('floor', { connection });
  const timed = async (name: string, replicas: number, act: () => Promise<unknown>) => {
    const seen = specs.until(name, replicas);
    const began = performance.now();
    await Promise.all([act(), seen]);
    return performance.now() - began;
  };
  const samples = { ours: [] as number[], floor: [] as number[] };
  for (let round = 0; round < rounds + warmUps; round++) {
    // Two counts by turns: the watch is in order, so the one that is waited for can't be an old one.
    const replicas = 2 + (round % 2);
    const ours = await timed('web', replicas, () =>
      slack.command('U0ANA', 'C0SHIP', `/ship scale web to ${replicas} in staging`),
    );
    await sleep(100);
    const bare = await timed('floor', replicas, () => queue.add('apply', { replicas }, { removeOnComplete: true }));
    await sleep(100);
    if (round < warmUps) continue;
    samples.ours.push(ours);
    samples.floor.push(bare);
  }
  await queue.close();
  connection.disconnect();
  await Promise.all([specs.stop(), floor.stop(), ...shipmate.map((each) => each.kill('SIGKILL'))]);
  return {
    name: 'effect',
    ours: quantile(samples.ours, 0.5),
    floor: quantile(samples.floor, 0.5),
    unit: 'ms, median',
    limit: 2.5,
  };
}
