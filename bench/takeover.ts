import { setTimeout as sleep } from 'node:timers/promises';
import { leaseMs } from '../src/engine/leases.ts';
import { request } from '../src/engine/request.ts';
import { engineGround } from './engine-ground.ts';
import type { Figure } from './figures.ts';
import type { Ground } from './ground.ts';
import { startFloor } from './process.ts';

/** Seconds from `kill -9` of a worker until all of its runs go on in another one, against the length of a lease. */
async function takeoverOf(url: string, count: number): Promise<Figure> {
  const apps = Array.from({ length: count }, (_, n) => `app${n}`);
  const ground = await engineGround(url, apps);
  const victim = await startFloor(new URL('./takeover-worker.ts', import.meta.url), {
    REDIS_URL: url,
    APPS: apps.join(','),
  });
  const { engine } = ground;
  const ids = await Promise.all(
    apps.map(async (app) => {
      const ask = { operation: 'deploy', input: { app, env: 'staging', image: '127.0.0.1:5000/web:v1' } };
      const { id } = await request(engine, {
        ...ask,
        actor: { kind: 'token', subject: 'ana' },
        origin: { surface: 'rest' },
      });
      return id;
    }),
  );
  const settling = async () => {
    const runs = await Promise.all(ids.map((id) => engine.store.read(id)));
    return runs.every((run) => run?.steps.settle?.state === 'started');
  };
  while (!(await settling())) await sleep(50);
  const open = new Set(ids);
  const commit = engine.store.commit;
  engine.store = {
    ...engine.store,
    commit: async (change, epoch) => {
      const done = await commit(change, epoch);
      if (done === 'ok' && change.events.some(({ text }) => text === 'taken up again')) open.delete(change.run.id);
      return done;
    },
  };
  await ground.worker();
  await sleep(1_500);
  const killed = performance.now();
  await victim.stop();
  while (open.size > 0) await sleep(5);
  const seconds = (performance.now() - killed) / 1_000;
  await ground.stop();
  return {
    name: `takeover of ${count}`,
    ours: seconds,
    floor: leaseMs / 1_000,
    unit: 's, the last run',
    limit: 5_000 / leaseMs,
  };
}

export const takeover = ({ bed }: Pick<Ground, 'bed'>): Promise<Figure> => takeoverOf(bed.redis.url, 1);
export const takeoverMany = ({ bed }: Pick<Ground, 'bed'>): Promise<Figure> => takeoverOf(bed.redis.url, 200);
