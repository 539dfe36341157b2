import { Worker } from 'bullmq';
import type { Log } from '../src/core/ports.ts';
import { advance } from '../src/engine/advance.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { Leases } from '../src/engine/leases.ts';
import type { Connection } from '../src/store/connection.ts';
import { noSeal, type Seal } from '../src/store/seal.ts';
import { provenRun, queueName } from './queue.ts';

/** Runs mostly wait for the cluster, so one process follows many. BullMQ is slower with more (`npm run bench -- throughput`). */
export const concurrency = 200;

/** Takes pokes and advances their runs. A poke that comes twice or late does nothing. */
export function createWorker(
  connection: Connection,
  deps: { engine: Engine; leases: Leases; prefix: string; log: Log; seal?: Seal },
): { close(): Promise<void> } {
  const { engine, leases, prefix, log, seal = noSeal } = deps;
  const worker = new Worker(queueName, async (job) => advance(engine, leases, provenRun(seal, prefix, job.data)), {
    connection,
    prefix,
    concurrency,
  });
  worker.on('failed', (job, problem) =>
    log.warn({ job: job?.id, problem }, 'a poke failed; the sweeper will poke again'),
  );
  worker.on('error', (problem) => log.warn({ problem: problem.message }, 'worker connection'));
  return {
    close: async () => {
      await Promise.all([worker.close(), leases.stop()]);
    },
  };
}
