import { once } from 'node:events';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/** A bare BullMQ queue with a worker in this process: the floor for what goes through the queue. */
export async function floorQueue(url: string, concurrency: number, act: (job: Job) => Promise<void>) {
  const connected = () => new Redis(url, { maxRetriesPerRequest: null });
  const [producer, consumer] = [connected(), connected()];
  const queue = new Queue('floor', { connection: producer });
  const worker = new Worker('floor', act, { connection: consumer, concurrency });
  await once(worker, 'ready');
  return {
    redis: producer,
    add: (data: Record<string, unknown>) => queue.add('go', data, { removeOnComplete: true }),
    close: async () => {
      await worker.close();
      await queue.close();
      for (const each of [producer, consumer]) each.disconnect();
    },
  };
}
