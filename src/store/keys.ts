/**
 * Every key of the store. The hash tag `{shipmate}` puts them all in one slot of a Redis Cluster, so that a run, its
 * events and its place in the queues change in one atomic script: there is far too little of this data to need sharding.
 * `v1` is the version of the records' form.
 */
export const root = '{shipmate}:v1';

export const keys = {
  /** hash: record, version, epoch, owner, leaseUntil, cancel, steered, heard, lost, over, touched, shown */
  run: (id: string) => `${root}:run:${id}`,
  /** hash: record, touched, shown */
  alert: (id: string) => `${root}:alert:${id}`,
  /** list: what people said to a run under way */
  steers: (id: string) => `${root}:steers:${id}`,
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
  /** string: the run whose turn it is at a place, `app@env` */
  turn: (place: string) => `${root}:turn:${place}`,
  /** sorted set: runs that wait for their turn at a place */
  line: (place: string) => `${root}:line:${place}`,
  /** list: runs that changed a place, newest first */
  history: (place: string) => `${root}:history:${place}`,
  /** hash: place -> how many ms a run takes there */
  pace: `${root}:pace`,
  /** set: places where runs wait or are under way */
  busy: `${root}:busy`,
  /** string: counts those who ever waited, for their order */
  tickets: `${root}:tickets`,
  /** string: the run that a worker has on trial: it was under way in one that was lost */
  trial: (owner: string) => `${root}:trial:${owner}`,
  /** hash: scope (`app@env`, `*@env`, `*@*`) -> lock */
  locks: `${root}:locks`,
  /** hash: person -> who decides for them, and until when */
  delegations: `${root}:delegations`,
  /** sorted set: requests for changes in an environment, by time */
  rate: (env: string) => `${root}:rate:${env}`,
  /** sorted set: somebody's questions that are under way, or whose answers are kept -> when they were asked */
  reads: (who: string) => `${root}:reads:${who}`,
  /** stream: audit entries that are not yet part of the chain */
  auditInbox: `${root}:audit:inbox`,
  /** stream: what came as an audit entry and is none, with what is wrong */
  auditAside: `${root}:audit:aside`,
  /** stream: the audit chain; the entry's id is its number */
  auditChain: `${root}:audit:chain`,
  /** hash: number and hash of the chain's newest record */
  auditHead: `${root}:audit:head`,
  /** string: run id by the request's idempotency key */
  request: (key: string) => `${root}:request:${key}`,
  /** hash: request that takes a while to be read -> what it is */
  inbox: `${root}:inbox`,
  /** sorted set: such a request -> when somebody else must take it up */
  inboxDue: `${root}:inbox:due`,
  /** string: something was seen before (signatures, deliveries) */
  seen: (key: string) => `${root}:seen:${key}`,
};

/** What the keys of a run's events begin with. */
export const eventsPrefix = keys.events('');

/** What a run's key begins with, for scripts that find out about other runs. */
export const runPrefix = keys.run('');

/** What the key of a worker's trial begins with. */
export const trialPrefix = keys.trial('');

/** What the keys of alerts begin with. */
export const alertPrefix = keys.alert('');

/** BullMQ's own keys live beside ours, in the same slot. */
export const queuePrefix = '{shipmate}:bull';
