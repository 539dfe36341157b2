import { z } from 'zod';
import type { Json, JsonObject } from '../../core/json.ts';
import { Label } from '../../core/name-pattern.ts';
import { EnvRef } from '../../core/place.ts';
import { Duration, durationMs, Percentage } from '../../core/values.ts';

/** What can be set for the traffic to a Service. In all of it null takes a value away, so that the mesh's own holds again. */

const whole = (most: number) => z.number('must be a number').int('must be a whole number').min(0).max(most);

/** Retry conditions of Envoy, and HTTP status codes. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry */
const conditions = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];
export const RetryOn = z
  .string()
  .refine(
    (on) => on.split(',').every((each) => conditions.includes(each) || /^[1-5]\d\d$/.test(each)),
    `must be of ${conditions.join(', ')} or status codes such as 503, with commas between`,
  )
  .meta({ examples: ['5xx,reset'] });

export const Retries = z.strictObject({
  /** How often it is tried again; 0 is never. */
  attempts: whole(100).nullable().optional(),
  perTryTimeout: Duration.nullable().optional(),
  retryOn: RetryOn.nullable().optional(),
});

export const Breaker = z.strictObject({
  /** So many answers of 5xx one after the other take a pod out. */
  consecutiveErrors: whole(100_000).nullable().optional(),
  /** How often pods are looked at. */
  interval: Duration.nullable().optional(),
  /** How long a pod stays out, at first. */
  baseEjectionTime: Duration.nullable().optional(),
  /** At most such a share of the pods is taken out. */
  maxEjectionPercent: Percentage.pipe(whole(100)).nullable().optional(),
});

export const Pool = z.strictObject({
  maxConnections: whole(2_000_000_000).min(1).nullable().optional(),
  maxPendingRequests: whole(2_000_000_000).min(1).nullable().optional(),
  maxRequests: whole(2_000_000_000).min(1).nullable().optional(),
  maxRequestsPerConnection: whole(2_000_000_000).nullable().optional(),
});

export const balancers = ['round-robin', 'least-request', 'random', 'passthrough', 'consistent-hash'] as const;

/** How requests are shared out among pods. */
export const Balancer = z
  .preprocess(
    (value) => (typeof value === 'string' ? { policy: value } : value),
    z.strictObject({
      policy: z.enum(balancers, `must be one of ${balancers.join(', ')}`),
      /** Of a consistent hash: requests with the same value of this go to the same pod. */
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header')
        .optional(),
      cookie: z
        .string()
        .regex(/^[\w-]+$/, 'must be the name of a cookie')
        .optional(),
      /** How long the cookie that Envoy sets lasts; 0 is for the session. */
      cookieTtl: z.union([z.literal(0), Duration]).optional(),
    }),
  )
  .refine(
    ({ policy, header, cookie }) =>
      policy === 'consistent-hash'
        ? (header === undefined) !== (cookie === undefined)
        : header === undefined && cookie === undefined,
    'consistent-hash takes a header or a cookie, and only it does',
  );

export const Mirror = z.strictObject({ service: Label, subset: Label.optional(), percent: Percentage.default(100) });

export const Canary = z.strictObject({
  enabled: z.boolean().default(true),
  weight: Percentage.pipe(whole(100)).default(0),
});

export const RouteName = z
  .string()
  .max(253)
  .regex(/^[\w.-]+(\/[\w.-]+)?$/, 'must be a route such as web/primary, or all')
  .describe('Which route, as VIRTUALSERVICE/ROUTE; all for each of them')
  .meta({ examples: ['web/primary'] });

export const trafficFields = {
  timeout: Duration.nullable().optional().describe('How long a request may take'),
  retries: Retries.nullable().optional().describe('What is tried again, how often'),
  circuitBreaker: Breaker.nullable().optional().describe('When a pod that answers with errors is taken out'),
  connectionPool: Pool.nullable().optional().describe('How many connections and requests at once'),
  loadBalancer: Balancer.nullable().optional().describe('How requests are shared out among pods'),
  mirror: Mirror.nullable().optional().describe('Where a copy of the requests goes'),
  canary: Canary.optional().describe('The share of the canary that a deploy made'),
};

export const Traffic = z.strictObject({
  service: Label.describe('The Service').meta({ examples: ['web'] }),
  env: EnvRef,
  route: RouteName.optional(),
  ...trafficFields,
});
export type Traffic = z.output<typeof Traffic>;

/** A duration as Istio writes it. */
export const istioTime = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);

type Leaf = { setting: readonly [string, string?]; field: readonly string[]; time?: true };

/** Settings that are one field each: of a route, or of a DestinationRule’s traffic policy. */
export const routeLeaves: readonly Leaf[] = [
  { setting: ['timeout'], field: ['timeout'], time: true },
  { setting: ['retries', 'attempts'], field: ['retries', 'attempts'] },
  { setting: ['retries', 'perTryTimeout'], field: ['retries', 'perTryTimeout'], time: true },
  { setting: ['retries', 'retryOn'], field: ['retries', 'retryOn'] },
];
export const policyLeaves: readonly Leaf[] = [
  { setting: ['circuitBreaker', 'consecutiveErrors'], field: ['outlierDetection', 'consecutive5xxErrors'] },
  { setting: ['circuitBreaker', 'interval'], field: ['outlierDetection', 'interval'], time: true },
  { setting: ['circuitBreaker', 'baseEjectionTime'], field: ['outlierDetection', 'baseEjectionTime'], time: true },
  { setting: ['circuitBreaker', 'maxEjectionPercent'], field: ['outlierDetection', 'maxEjectionPercent'] },
  { setting: ['connectionPool', 'maxConnections'], field: ['connectionPool', 'tcp', 'maxConnections'] },
  { setting: ['connectionPool', 'maxPendingRequests'], field: ['connectionPool', 'http', 'http1MaxPendingRequests'] },
  { setting: ['connectionPool', 'maxRequests'], field: ['connectionPool', 'http', 'http2MaxRequests'] },
  {
    setting: ['connectionPool', 'maxRequestsPerConnection'],
    field: ['connectionPool', 'http', 'maxRequestsPerConnection'],
  },
];

/** What is asked of a leaf: undefined is nothing, null to take it away. */
export function askedOf(traffic: JsonObject, { setting: [group, name] }: Leaf): Json | undefined {
  const value = traffic[group];
  if (name === undefined || value === undefined) return value;
  if (value === null) return null;
  return typeof value === 'object' && !Array.isArray(value) ? value[name] : undefined;
}

const simple: Record<string, string> = {
  'round-robin': 'ROUND_ROBIN',
  'least-request': 'LEAST_REQUEST',
  random: 'RANDOM',
  passthrough: 'PASSTHROUGH',
};

/** The two fields of a load balancer, of which one rules the other out. */
export function balancerFields(asked: z.output<typeof Balancer> | null): { simple?: Json; consistentHash?: Json } {
  if (asked === null) return {};
  const { policy, header, cookie, cookieTtl = 0 } = asked;
  if (policy !== 'consistent-hash') return { simple: simple[policy] ?? '' };
  if (header !== undefined) return { consistentHash: { httpHeaderName: header } };
  return { consistentHash: { httpCookie: { name: cookie ?? '', ttl: istioTime(cookieTtl) } } };
}

/** The load balancer as it is set, in the words that it is asked for by; undefined where they have none for it. */
export function balancerOf(fields: { simple?: Json; consistentHash?: Json }): z.input<typeof Balancer> | undefined {
  const policy = balancers.find((name) => fields.simple !== undefined && simple[name] === fields.simple);
  if (policy) return { policy };
  const hash = Hash.safeParse(fields.consistentHash);
  if (!hash.success) return undefined;
  const { httpHeaderName, httpCookie } = hash.data;
  if (httpHeaderName !== undefined) return { policy: 'consistent-hash', header: httpHeaderName };
  if (!httpCookie) return undefined;
  return { policy: 'consistent-hash', cookie: httpCookie.name, cookieTtl: durationMs(httpCookie.ttl ?? '0s') ?? 0 };
}

const Hash = z.object({
  httpHeaderName: z.string().optional(),
  httpCookie: z.object({ name: z.string(), ttl: z.string().optional() }).optional(),
});
