import { Queue } from 'bullmq';
import { z } from 'zod';
import { fault } from '../src/core/errors.ts';
import type { Connection } from '../src/store/connection.ts';
import { noSeal, type Seal } from '../src/store/seal.ts';

export const queueName = 'runs';

/** A job is only a poke: which run to look at. The run's record is the truth; `proof` is the same, sealed. */
const Poke = z.object({ runId: z.string().max(100), proof: z.string().max(1_000).optional() });
type Poke = z.output<typeof Poke>;

const about = (prefix: string) => `${prefix}:${queueName}`;

/** The run that a job names. @throws Fault where somebody else put it into the queue */
export function provenRun(seal: Seal, prefix: string, data: unknown): string {
  const { runId, proof } = Poke.parse(data);
  if (!seal.sealed || seal.open(proof ?? runId, about(prefix)) === runId) return runId;
  throw fault('SEAL_BROKEN', { about: about(prefix) });
}

export type RunQueue = { wake(runId: string): Promise<void>; close(): Promise<void> };

/** The queue that pokes go through. With Redis away `wake` rejects at once; the sweeper then finds the run. */
export function createRunQueue(connection: Connection, prefix: string, seal: Seal = noSeal): RunQueue {
  const queue = new Queue(queueName, {
    connection,
    prefix,
    skipWaitingForReady: true,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: 1_000 },
  });
  queue.on('error', () => {});
  return {
    wake: async (runId) => {
      const proof = seal.sealed ? { proof: seal.seal(runId, about(prefix)) } : {};
      await queue.add('advance', { runId, ...proof } satisfies Poke);
    },
    close: () => queue.close(),
  };
}
