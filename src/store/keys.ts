/**
 * Every key of the store. The hash tag `{shipmate}` puts them all in one slot of a Redis Cluster, so that a run, its
 * events and its place in the queues change in one atomic script: there is far too little of this data to need sharding.
 * `v1` is the version of the records' form.
 */
const root = '{shipmate}:v1';

export const keys = {
  /** hash: record, version, epoch, owner, leaseUntil, touched, shown */
  run: (id: string) => `${root}:run:${id}`,
  /** hash: record, touched, shown */
  alert: (id: string) => `${root}:alert:${id}`,
  /** stream of one run's events */
  events: (id: string) => `${root}:events:${id}`,
  /** sorted set: open run -> when somebody must look at it */
  due: `${root}:due`,
  /** sorted set: run -> when it was made */
  recent: `${root}:recent`,
  /** sorted set: `run:ID` or `alert:ID` -> when its message may be sent */
  dirty: `${root}:dirty`,
  /** pub/sub: `run:ID` or `alert:ID` that changed */
  changed: `${root}:changed`,
  /** string: run id by the request's idempotency key */
  request: (key: string) => `${root}:request:${key}`,
  /** string: something was seen before (signatures, deliveries) */
  seen: (key: string) => `${root}:seen:${key}`,
};

/** BullMQ's own keys live beside ours, in the same slot. */
export const queuePrefix = '{shipmate}:bull';
