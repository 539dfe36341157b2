import { Queue } from 'bullmq';
import { z } from 'zod';
import type { Connection } from '../src/store/connection.ts';

export const queueName = 'runs';

/** A job is only a poke: which run to look at. The run's record is the truth. */
export const Poke = z.object({ runId: z.string() });

export type RunQueue = { wake(runId: string): Promise<void>; close(): Promise<void> };

/** The queue that pokes go through. With Redis away `wake` rejects at once; the sweeper then finds the run. */
export function createRunQueue(connection: Connection, prefix: string): RunQueue {
  const queue = new Queue(queueName, {
    connection,
    prefix,
    skipWaitingForReady: true,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: 1_000 },
  });
  queue.on('error', () => {});
  return {
    wake: async (runId) => void (await queue.add('advance', { runId } satisfies z.output<typeof Poke>)),
    close: () => queue.close(),
  };
}
