import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { defineOperation } from '../../core/operation.ts';
import { Duration, Percentage } from '../../core/values.ts';
import { runWrites, writeSteps } from '../kubernetes/writes.ts';
import { Balancer, balancers } from './settings.ts';
import { planTraffic, trafficPermissions } from './traffic-plan.ts';
import { orOff, serviceFields, timeOrOff } from './words.ts';

const { service, env } = serviceFields;
const Count = orOff(z.number('must be a number, or off').int().min(0)).optional();

export const breaker = defineOperation({
  name: 'breaker',
  summary: 'Set when a pod of a Service that answers with errors is taken out for a while',
  effect: 'change',
  input: z.strictObject({
    service,
    env,
    errors: orOff(z.number('must be a number, or off').int().min(0)).describe(
      'So many 5xx one after the other; off for no circuit breaking at all',
    ),
    interval: timeOrOff(Duration).optional().describe('How often pods are looked at'),
    eject: timeOrOff(Duration).optional().describe('How long a pod stays out, at first'),
    max: timeOrOff(Percentage).optional().describe('At most such a share of the pods is out'),
  }),
  usage: '<service> <errors> in <env> [interval=<interval>] [eject=<eject>] [max=<max>]',
  examples: ['web 5 in staging interval=10s eject=30s max=50%', 'web off in staging'],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, { service, env, errors, interval, eject, max }) =>
    planTraffic(context, {
      service,
      env,
      circuitBreaker:
        errors === null
          ? null
          : { consecutiveErrors: errors, interval, baseEjectionTime: eject, maxEjectionPercent: max },
    }),
  run: (run) => runWrites(run),
});

export const pool = defineOperation({
  name: 'pool',
  summary: 'Set how many connections and requests at once a Service takes; what is more is refused at once',
  effect: 'change',
  input: z.strictObject({
    service,
    env,
    connections: Count.describe('Connections to each pod’s side, over TCP'),
    pending: Count.describe('Requests that may wait for a connection'),
    requests: Count.describe('Requests under way at once'),
    perConnection: Count.describe('Requests over one connection before it is closed'),
  }),
  usage:
    '<service> in <env> [connections=<connections>] [pending=<pending>] [requests=<requests>] [per-connection=<perConnection>]',
  examples: ['web in staging connections=100 pending=50', 'web in staging connections=off'],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, { service, env, connections, pending, requests, perConnection }) =>
    planTraffic(context, {
      service,
      env,
      connectionPool: {
        maxConnections: connections,
        maxPendingRequests: pending,
        maxRequests: requests,
        maxRequestsPerConnection: perConnection,
      },
    }),
  run: (run) => runWrites(run),
});

/** @throws Fault BAD_INPUT where what it is to go by does not fit */
function balancerCalled(words: z.input<typeof Balancer>): z.output<typeof Balancer> {
  const parsed = Balancer.safeParse(words);
  if (parsed.success) return parsed.data;
  throw fault('BAD_INPUT', { problem: `balance: ${parsed.error.issues.map(({ message }) => message).join('; ')}.` });
}

export const balance = defineOperation({
  name: 'balance',
  summary: 'Set how requests are shared out among the pods of a Service',
  effect: 'change',
  input: z.strictObject({
    service,
    env,
    policy: timeOrOff(z.enum(balancers, `must be one of ${balancers.join(', ')}, or off`)).describe(
      balancers.join(', '),
    ),
    header: z.string().max(100).optional().describe('Of consistent-hash: the same value, the same pod'),
    cookie: z
      .string()
      .max(100)
      .optional()
      .describe('Of consistent-hash: a cookie, which Envoy sets where it is missing'),
    ttl: Duration.optional().describe('How long that cookie lasts; left out, for the session'),
  }),
  usage: '<service> <policy> in <env> [header=<header>] [cookie=<cookie>] [ttl=<ttl>]',
  examples: ['web least-request in staging', 'web consistent-hash in staging header=x-user', 'web off in staging'],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, { service, env, policy, header, cookie, ttl }) =>
    planTraffic(context, {
      service,
      env,
      loadBalancer:
        policy === null
          ? null
          : balancerCalled({ policy, header, cookie, ...(ttl !== undefined && { cookieTtl: ttl }) }),
    }),
  run: (run) => runWrites(run),
});
