import { Redis } from 'ioredis';
import { Fault, fault } from '../core/errors.ts';

/**
 * The connection of the store, and of BullMQ's producers. With Redis away a command fails within two seconds instead of waiting,
 * so that the person who asked is told; the connection itself comes back by itself.
 */
export function connectStore(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 2_000,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  });
}

/** A connection for BullMQ's workers, which wait for work for as long as it takes. */
export function connectWorker(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: null, retryStrategy: (attempt) => Math.min(100 * attempt, 1_000) });
}

/** Runs a store call; whatever goes wrong with Redis becomes STORE_DOWN, or STORE_FULL. Faults of our own stay. */
export async function guarded<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const full = thrown instanceof Error && /\bOOM\b/.test(thrown.message);
    throw fault(full ? 'STORE_FULL' : 'STORE_DOWN', {}, thrown);
  }
}
