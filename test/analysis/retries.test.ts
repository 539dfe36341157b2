import { expect, test } from 'vitest';
import { readCounters } from '../../src/core/analysis/answers.ts';
import { countersQuery } from '../../src/core/analysis/queries.ts';
import { AnalysisTemplate } from '../../src/core/analysis/template.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { hiddenRetries } from '../../src/operations/delivery/canary/hidden-retries.ts';

/** What a proxy tries again until it succeeds, which its caller does not see. */

const metrics = [{ kind: 'success-rate' as const }];
const template = (more: object) => AnalysisTemplate.parse({ metrics, ...more });
const subject = {
  app: 'web',
  namespace: 'shop',
  stable: 'web',
  canary: 'web-canary',
  service: 'web',
  ports: [80],
};
const span = { since: 0, until: 60_000 };

test('of Envoy’s counters a request that was answered well only when tried again has failed, once', () => {
  const envoy = template({ source: 'envoy' });
  expect(countersQuery(envoy, subject, [span], 'requests')).toContain('envoy_cluster_upstream_rq_retry_success');
  expect(countersQuery(envoy, subject, [span], 'durations')).not.toContain('retry');
  const now = 61_000;
  const of = (part: string, value: number, labels: Record<string, string> = {}) => ({
    labels: { shipmate_part: part, ...labels },
    value,
    at: now,
  });
  const canary = 'outbound|80||web-canary.shop.svc.cluster.local';
  const answers = [
    of('now', 61),
    of('newest', 61),
    of('phase 0', 95, { envoy_cluster_name: canary, envoy_response_code: '200' }),
    of('phase 0', 5, { envoy_cluster_name: canary, envoy_response_code: '503' }),
    of('retried 0', 20, { envoy_cluster_name: canary }),
  ];
  expect(readCounters(answers, envoy, subject, [span], now)).toMatchObject({
    known: [{ canary: { requests: 100, failures: 25 }, stable: { requests: 0, failures: 0 } }],
  });
});

const virtual = (retries?: JsonObject): JsonObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { http: [{ route: [{ destination: { host: 'web' } }], ...(retries && { retries }) }] },
});
const gateway = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { rules: [{ retry: { attempts: 1 }, backendRefs: [{ name: 'web', port: 80 }] }] },
};

test('of Istio’s counters that can’t be known, so the plan says it where the app’s route tries again', () => {
  const istio = template({});
  expect(hiddenRetries(virtual({ attempts: 3 }), istio)).toEqual([
    'VirtualService/web tries failed requests again (3 times), and the analysis sees only how the last try went; with reporter: destination it sees all.',
  ]);
  expect(hiddenRetries(gateway, istio)[0]).toContain('HTTPRoute/web tries failed requests again (1 time)');
});

test.each([
  ['the route tries nothing again', virtual({ attempts: 0 }), {}],
  ['nothing is said of it', virtual(), {}],
  ['each attempt is counted', virtual({ attempts: 3 }), { reporter: 'destination' }],
  ['they are counted by Envoy', virtual({ attempts: 3 }), { source: 'envoy' }],
  ['no requests are counted', virtual({ attempts: 3 }), { metrics: [{ kind: 'latency' }] }],
  ['there is no route', undefined, {}],
])('where %s there is no warning', (_, router, more) => {
  expect(hiddenRetries(router, template(more))).toEqual([]);
});
