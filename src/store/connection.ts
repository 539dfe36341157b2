import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { Fault, fault } from '../core/errors.ts';
import { problemOf } from './readable.ts';

/** One Redis, one behind Sentinels, or a Redis Cluster: all keys lie in one slot, so it makes no difference to the rest. */
export type Connection = Redis | Cluster;

const retryStrategy = (attempt: number) => Math.min(100 * attempt, 1_000);

/** With Redis away a command fails within two seconds instead of waiting, so that the person who asked is told. */
const impatient: RedisOptions = {
  enableOfflineQueue: false,
  commandTimeout: 2_000,
  connectTimeout: 2_000,
  maxRetriesPerRequest: 0,
  retryStrategy,
};

/** For those who wait for work, or for news, for as long as it takes. */
const patient: RedisOptions = { maxRetriesPerRequest: null, retryStrategy };

type Address = { scheme: string; hosts: { host: string; port: number }[]; name: string; options: RedisOptions };

const form = /^(redis|rediss|redis-sentinel|redis-cluster):\/\/(?:([^:@/]*):([^@/]*)@)?([^/?]+)(?:\/([^?]*))?$/;

/** Reads `redis://`, `rediss://`, `redis-sentinel://HOST:PORT,…/MASTER` and `redis-cluster://HOST:PORT,…`. */
function addressOf(url: string): Address | undefined {
  const [, scheme = '', username, password, list = '', name = ''] = form.exec(url) ?? [];
  if (scheme === '') return undefined;
  const hosts = list.split(',').map((entry) => {
    const at = entry.lastIndexOf(':');
    const port = scheme === 'redis-sentinel' ? 26_379 : 6_379;
    return at < 0 ? { host: entry, port } : { host: entry.slice(0, at), port: Number(entry.slice(at + 1)) };
  });
  const credentials = {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
  return { scheme, hosts, name, options: credentials };
}

function connect(url: string, options: RedisOptions): Connection {
  const address = addressOf(url);
  if (address?.scheme === 'redis-sentinel')
    return new Redis({
      ...options,
      ...address.options,
      sentinels: address.hosts,
      name: address.name,
      sentinelRetryStrategy: retryStrategy,
    });
  if (address?.scheme !== 'redis-cluster') return new Redis(url, options);
  const { enableOfflineQueue, ...redisOptions } = { ...options, ...address.options };
  return new Cluster(address.hosts, { redisOptions, enableOfflineQueue, clusterRetryStrategy: retryStrategy });
}

/** The connection of the store and of BullMQ's producers. It comes back by itself. */
export const connectStore = (url: string): Connection => connect(url, impatient);

/** A connection for BullMQ's workers. */
export const connectWorker = (url: string): Connection => connect(url, patient);

/** A connection of its own for subscriptions, which take a connection over. */
export function connectListener(redis: Connection): Connection {
  const options = { enableOfflineQueue: true, commandTimeout: undefined, maxRetriesPerRequest: null };
  return redis instanceof Cluster
    ? redis.duplicate([], { enableOfflineQueue: true, redisOptions: options })
    : redis.duplicate(options);
}

/**
 * Runs a store call; whatever goes wrong with Redis becomes STORE_DOWN, or STORE_FULL, and an answer that can't be read
 * RECORD_UNREADABLE. Faults of our own stay.
 */
export async function guarded<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    if (thrown instanceof z.ZodError || thrown instanceof SyntaxError)
      throw fault('RECORD_UNREADABLE', { about: 'that was asked for', problem: problemOf(thrown) }, thrown);
    const full = thrown instanceof Error && /\bOOM\b/.test(thrown.message);
    throw fault(full ? 'STORE_FULL' : 'STORE_DOWN', {}, thrown);
  }
}
