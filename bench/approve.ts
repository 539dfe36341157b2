import { decide } from '../src/engine/decide.ts';
import { request } from '../src/engine/request.ts';
import { engineGround } from './engine-ground.ts';
import { type Figure, quantile } from './figures.ts';
import { floorQueue } from './floor-queue.ts';
import type { Ground } from './ground.ts';

const rounds = 60;
const warmUps = 60;
const cas = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2]) return 1";

/** Median from an approval's arrival to its run's first lap, against a bare compare-and-set in Redis and a BullMQ job. */
export async function approve({ bed }: Pick<Ground, 'bed'>): Promise<Figure> {
  const ground = await engineGround(
    bed.redis.url,
    Array.from({ length: rounds + warmUps }, (_, n) => `app${n}`),
  );
  const { engine } = ground;
  const begun = new Map<string, () => void>();
  const lease = engine.store.lease;
  engine.store = {
    ...engine.store,
    lease: async (id, owner, ttl) => {
      begun.get(id)?.();
      return await lease(id, owner, ttl);
    },
  };
  await ground.worker();
  const picked = new Map<string, () => void>();
  const floor = await floorQueue(bed.redis.url, 1, async (job) => picked.get(String(job.data.n))?.());
  const samples = { ours: [] as number[], floor: [] as number[] };
  for (let round = 0; round < rounds + warmUps; round++) {
    const ask = {
      operation: 'deploy',
      input: { app: `app${round}`, env: 'production', image: '127.0.0.1:5000/web:v1' },
    };
    const { id } = await request(engine, {
      ...ask,
      actor: { kind: 'token', subject: 'ana' },
      origin: { surface: 'rest' },
    });
    let digest: string | undefined;
    while (digest === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const run = await engine.store.read(id);
      if (run?.state === 'awaiting') digest = run.plan?.digest;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    const start = new Promise<void>((resolve) => begun.set(id, resolve));
    const clicked = performance.now();
    await decide(engine, id, { actor: { kind: 'token', subject: 'ben' }, kind: 'approve', digest });
    await start;
    const ours = performance.now() - clicked;

    await floor.redis.set(`bare:${round}`, 'awaiting');
    const pick = new Promise<void>((resolve) => picked.set(String(round), resolve));
    const began = performance.now();
    await floor.redis.eval(cas, 1, `bare:${round}`, 'awaiting', 'running');
    await floor.add({ n: round });
    await pick;
    const bare = performance.now() - began;
    if (round >= warmUps) samples.ours.push(ours) && samples.floor.push(bare);
  }
  await floor.close();
  await ground.stop();
  return {
    name: 'approve',
    ours: quantile(samples.ours, 0.5),
    floor: quantile(samples.floor, 0.5),
    unit: 'ms, median',
    limit: 2,
  };
}
