import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { advance } from '../../src/engine/advance.ts';
import { decide } from '../../src/engine/decide.ts';
import { createLeases, type Leases } from '../../src/engine/leases.ts';
import { request } from '../../src/engine/request.ts';
import type { FakeWorld } from '../fakes/fake-clients.ts';
import { ana, quiet, type TestEngine } from './engine.ts';

/** Tags v1 to v5 of `web` in the registry. */
export function stock(world: FakeWorld): void {
  for (const n of [1, 2, 3, 4, 5]) world.digests.set(`127.0.0.1:5000/web:v${n}`, `sha256:${String(n).repeat(64)}`);
}

export type Desk = {
  leases: Leases;
  /** Asks for an operation, over REST. */
  ask(operation: string, input: Record<string, unknown>, actor?: Actor, breakGlass?: string): Promise<string>;
  deploy(env: string, tag?: string, actor?: Actor): Promise<string>;
  run(id: string): Promise<Run>;
  /** One lap of a worker. */
  lap(id: string): Promise<Run>;
  /** Asks and takes the run as far as it goes. */
  done(operation: string, input: Record<string, unknown>, actor?: Actor): Promise<Run>;
  /** Approves the plan as it stands. */
  approve(id: string, actor: Actor): ReturnType<typeof decide>;
  /** Works on what is due, as sweeper and worker do, until the runs are over. */
  settle(ids: readonly string[], withinMs?: number): Promise<Run[]>;
};

/** A person's and a worker's hands on an engine. */
export function createDesk(engine: TestEngine, owner = 'worker-1'): Desk {
  const leases = createLeases(engine.store, owner, quiet);
  const run = async (id: string): Promise<Run> => {
    const found = await engine.store.read(id);
    if (!found) throw new Error(`no run ${id}`);
    return found;
  };
  const ask: Desk['ask'] = async (operation, input, actor = ana, breakGlass = undefined) =>
    (await request(engine, { actor, operation, input, origin: { surface: 'rest' }, breakGlass })).id;
  /** Laps of runs that came due while others were settled: a second lap beside one of them would see the run half-way. */
  const besides = new Map<string, Promise<void>>();
  const lap = async (id: string) => {
    await besides.get(id);
    await advance(engine, leases, id);
    return await run(id);
  };
  return {
    leases,
    ask,
    run,
    lap,
    deploy: (env, tag = 'v1', actor = ana) => ask('deploy', { app: 'web', env, tag }, actor),
    done: async (operation, input, actor) => await lap(await ask(operation, input, actor)),
    approve: async (id, actor) =>
      await decide(engine, id, { actor, kind: 'approve', digest: (await run(id)).plan?.digest ?? '' }),
    settle: async (ids, withinMs = 10_000) => {
      const end = Date.now() + withinMs;
      const work = (id: string) => {
        const working = advance(engine, leases, id).catch(() => {});
        if (!ids.includes(id))
          besides.set(
            id,
            Promise.all([besides.get(id), working]).then(() => {}),
          );
      };
      ids.forEach(work);
      for (;;) {
        const runs = await Promise.all(ids.map(run));
        if (runs.every(({ state }) => isOver(state))) return runs;
        expect(Date.now(), `not over: ${runs.map(({ id, state }) => `${id} ${state}`)}`).toBeLessThan(end);
        for (const due of await engine.store.due(50, 100)) work(due);
        await sleep(20);
      }
    },
  };
}
