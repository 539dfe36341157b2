import type { AnalysisTemplate, Saturation } from './template.ts';

/** What the judge asks Prometheus: PromQL as text. */

/** Whose traffic it is: names of workloads and of their Services, which are called alike where a Service is the canary's own. */
export type Subject = {
  app: string;
  namespace: string;
  /** Deployments. */
  stable: string;
  canary: string;
  /** The Service of stable. The canary's own is called like its Deployment. */
  service: string;
  /** The canary's own, where it is not called like its Deployment. */
  canaryService?: string;
  /** Ports of the Service. */
  ports: readonly number[];
  /** Where both are one Service and Envoy tells them apart by subset. */
  subsets?: { stable: string; canary: string };
};

/** From when to when, by our clock. */
export type Span = { since: number; until: number };

/** A string of PromQL. */
export const quoted = (value: string): string => JSON.stringify(value);
/** A whole value as a regular expression of RE2, within a string. */
const literal = (value: string): string => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const oneOf = (values: readonly string[]): string => quoted(values.map(literal).join('|'));

/** Under which label each part of an answer says what it is. */
export const partLabel = 'shipmate_part';
const part = (name: string, query: string) => `label_replace(${query}, ${quoted(partLabel)}, ${quoted(name)}, "", "")`;

/** How Envoy calls the cluster of a Service, the port and subset left open: https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/ */
const envoyCluster = ({ namespace, ports }: Subject, service: string, subset: string) =>
  `outbound\\|(${ports.join('|')})\\|${literal(subset)}\\|${literal(`${service}.${namespace}.svc.cluster.local`)};?`;

/** Both arms' cluster names, as regular expressions. */
export const envoyClusters = (subject: Subject): { stable: string; canary: string } =>
  subject.subsets
    ? {
        stable: envoyCluster(subject, subject.service, subject.subsets.stable),
        canary: envoyCluster(subject, subject.service, subject.subsets.canary),
      }
    : {
        stable: envoyCluster(subject, subject.service, ''),
        canary: envoyCluster(subject, subject.canaryService ?? subject.canary, ''),
      };

type Counters = { selector: string; by: readonly string[] };

/** The counters of both arms: by what they tell arms and codes apart. */
function counters(template: AnalysisTemplate, subject: Subject, what: 'requests' | 'durations'): Counters {
  if (template.source === 'envoy') {
    const { stable, canary } = envoyClusters(subject);
    const names = `envoy_cluster_name=~${quoted(`${stable}|${canary}`)}`;
    return what === 'requests'
      ? {
          selector: `envoy_cluster_upstream_rq{${names},envoy_response_code!=""}`,
          by: ['envoy_cluster_name', 'envoy_response_code'],
        }
      : { selector: `envoy_cluster_upstream_rq_time_bucket{${names}}`, by: ['envoy_cluster_name', 'le'] };
  }
  const labels = [
    `reporter=${quoted(template.reporter)}`,
    `destination_service_namespace=${quoted(subject.namespace)}`,
    `destination_service_name=~${oneOf([...new Set([subject.service, subject.canaryService ?? subject.canary])])}`,
  ].join(',');
  const arms = ['destination_workload', 'destination_service_name'];
  return what === 'requests'
    ? { selector: `istio_requests_total{${labels}}`, by: [...arms, 'response_code', 'grpc_response_status'] }
    : { selector: `istio_request_duration_milliseconds_bucket{${labels}}`, by: [...arms, 'le'] };
}

/**
 * How much counters grew over a span: from the sample before one scrape interval has passed, so that none of what came before the
 * span is in it, to the last one. `increase` would reckon beyond the samples to both ends, and take no account of the first value
 * of a counter that came in between, such as that of a code which had not been answered before; so it is the difference of two
 * samples, each of them a whole number, of which nothing is estimated:
 *
 * - of a counter that was there at the beginning, against its value then;
 * - of one that came later, against nothing where its target was asked already, or else against its first value;
 * - of one that began anew in between (a process restarted), what `increase` makes of it, times (N − 1)/(N + 1) for N samples:
 *   it may have reckoned by one scrape interval beyond each end. It is never negative, and never more than was seen.
 */
function growth({ selector, by }: Counters, { since, until }: Span, scrapeMs: number): string {
  const start = Math.min(since + scrapeMs, until);
  const range = (more: number) => `${selector}[${Math.max(1, Math.round(until - start) + more)}ms] ${at(until)}`;
  const [seen, first, beginning] = [range(0), `min_over_time(${range(0)})`, `${selector} ${at(start)}`];
  const [last, restarted] = [`max_over_time(${seen})`, `(resets(${range(scrapeMs)}) > 0)`];
  const asked = `on (job, instance) (up ${at(start)} == 1)`;
  const steady = `clamp_min(${last} - ${beginning}, 0)`;
  const born = `((${last} unless ${beginning}) and ${asked})`;
  const late = `(((${last} - ${first}) unless ${beginning}) unless ${asked})`;
  const again = `(increase(${seen}) * (1 - 2 / (count_over_time(${seen}) + 1)) and ${restarted})`;
  return `sum by (${by.join(', ')}) (((${steady} or ${born} or ${late}) unless ${restarted}) or ${again})`;
}

/** A moment of PromQL. */
const at = (ms: number) => `@ ${(ms / 1_000).toFixed(3)}`;

/**
 * Requests that were tried again and then answered well: Envoy counts of a request only the answer that its caller got, so that the
 * version that failed at first would look well. Each is one request, however often it was tried: failures stay independent.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
 */
const saved = (subject: Subject): Counters => {
  const { stable, canary } = envoyClusters(subject);
  const selector = `envoy_cluster_upstream_rq_retry_success{envoy_cluster_name=~${quoted(`${stable}|${canary}`)}}`;
  return { selector, by: ['envoy_cluster_name'] };
};

/** One query for all phases: what the counters grew by, Prometheus' own time, and that of the newest sample. */
export function countersQuery(
  template: AnalysisTemplate,
  subject: Subject,
  spans: readonly Span[],
  what: 'requests' | 'durations',
): string {
  const asked = counters(template, subject, what);
  const phases = spans.map((span, n) => part(`phase ${n}`, growth(asked, span, template.scrapeInterval)));
  const retried =
    template.source === 'envoy' && what === 'requests'
      ? spans.map((span, n) => part(`retried ${n}`, growth(saved(subject), span, template.scrapeInterval)))
      : [];
  const newest = part('newest', `max(timestamp(${asked.selector}))`);
  return [part('now', 'vector(time())'), newest, ...phases, ...retried].join(' or ');
}

/** The pods of a Deployment, by what its ReplicaSets call them. */
const podsOf = (workload: string) => `pod=~${quoted(`${literal(workload)}-[a-z0-9]+-[a-z0-9]{5}`)}`;

/** Percent of the limit that the busiest pod of a Deployment uses: cAdvisor's figures over kube-state-metrics' limits. */
function saturation({ of }: Saturation, namespace: string, workload: string, windowMs: number): string {
  const labels = `namespace=${quoted(namespace)},${podsOf(workload)},container!="",container!="POD"`;
  const used =
    of === 'cpu'
      ? `rate(container_cpu_usage_seconds_total{${labels}}[${windowMs}ms])`
      : `avg_over_time(container_memory_working_set_bytes{${labels}}[${windowMs}ms])`;
  const limit = `kube_pod_container_resource_limits{resource=${quoted(of)},${labels}}`;
  const each = (query: string) => `sum by (pod, container) (${query})`;
  return `max(100 * ${each(used)} / ${each(limit)})`;
}

const arm = (name: string, query: string) => part(name, `max(${query})`);

/** Both arms' saturation in one query. */
export function saturationQuery(metric: Saturation, template: AnalysisTemplate, subject: Subject): string {
  const of = (workload: string) => saturation(metric, subject.namespace, workload, template.window);
  return [part('now', 'vector(time())'), arm('canary', of(subject.canary)), arm('stable', of(subject.stable))].join(
    ' or ',
  );
}

/**
 * One's own query with its placeholders filled in. What is put in can be no PromQL: names are escaped as within a string, where
 * they belong.
 */
export function filledQuery(query: string, template: AnalysisTemplate, subject: Subject): string {
  const values: Record<string, string> = {
    app: subject.app,
    namespace: subject.namespace,
    canary: subject.canary,
    stable: subject.stable,
    window: `${template.window}ms`,
  };
  return query.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? quoted(values[name] ?? '').slice(1, -1) : whole,
  );
}
