import { Redis } from 'ioredis';
import { fault } from '../core/errors.ts';

/**
 * The store's connection. With Redis away a command fails within two seconds instead of waiting,
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

/** A connection for BullMQ's producers: `add` fails at once while Redis is away. */
export function connectProducer(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  });
}

/** Runs a store call; whatever goes wrong with Redis becomes STORE_DOWN. */
export async function guarded<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (thrown) {
    throw fault('STORE_DOWN', {}, thrown);
  }
}
