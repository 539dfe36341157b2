import { concurrency } from '../jobs/worker.ts';
import { isOver } from '../src/core/run.ts';
import { request } from '../src/engine/request.ts';
import { engineGround } from './engine-ground.ts';
import { type Figure, quantile } from './figures.ts';
import { floorQueue } from './floor-queue.ts';
import type { Ground } from './ground.ts';

const runs = 1_000;
const rounds = 10;
/** Until the just-in-time compiler has seen enough, on both sides. */
const warmUps = 10;

/** So many a second: adds them all, and waits until as many are over. */
async function round(add: () => Promise<unknown>, over: () => number): Promise<number> {
  const before = over();
  const began = performance.now();
  await Promise.all(Array.from({ length: runs }, add));
  while (over() - before < runs) await new Promise((resolve) => setTimeout(resolve, 1));
  return runs / ((performance.now() - began) / 1_000);
}

/**
 * Finished runs a second that change nothing, through the whole engine (request, policy, plan, events, audit, queue), against
 * bare BullMQ jobs that do nothing, at the same concurrency, in the same process. By turns; medians.
 */
export async function throughput({ bed }: Pick<Ground, 'bed'>): Promise<Figure> {
  const ground = await engineGround(bed.redis.url, ['web']);
  const { engine } = ground;
  let over = 0;
  const commit = engine.store.commit;
  engine.store = {
    ...engine.store,
    commit: async (change, epoch) => {
      const done = await commit(change, epoch);
      if (done === 'ok' && isOver(change.run.state)) over += 1;
      return done;
    },
  };
  const ask = () =>
    request(engine, {
      actor: { kind: 'token', subject: 'ana' },
      operation: 'deploy',
      input: { app: 'web', env: 'staging', tag: 'v1' },
      origin: { surface: 'rest' },
    });
  await ground.worker();
  await ask(); // deploys it: from here on nothing changes
  while (over < 1) await new Promise((resolve) => setTimeout(resolve, 10));

  let ended = 0;
  const floor = await floorQueue(bed.redis.url, concurrency, async () => {
    ended += 1;
  });
  const samples = { ours: [] as number[], floor: [] as number[] };
  for (let n = 0; n < rounds + warmUps; n++) {
    const ours = await round(ask, () => over);
    const bare = await round(
      () => floor.add({ runId: 'x' }),
      () => ended,
    );
    if (n >= warmUps) samples.ours.push(ours) && samples.floor.push(bare);
  }
  await floor.close();
  await ground.stop();
  return {
    name: 'throughput',
    ours: quantile(samples.ours, 0.5),
    floor: quantile(samples.floor, 0.5),
    unit: 'a second',
    limit: 0.35,
    least: true,
  };
}
