import { z } from 'zod';
import { jobFields, runsOne } from '../check-job.ts';
import { linearPattern } from '../linear-pattern.ts';
import { Duration, Percentage } from '../values.ts';

/** `analyses` of `shipmate.yaml`: what a canary is judged by, and how sure the judge must be. */

const Name = z.string().min(1).max(60);

function isExpression(text: string): boolean {
  try {
    return Boolean(linearPattern(text));
  } catch {
    return false;
  }
}

const few = (least: number, most: number) => Percentage.pipe(z.number().min(least).max(most));

export const SuccessRate = z.strictObject({
  kind: z.literal('success-rate'),
  /** Codes that count as failures, as a regular expression over the whole code; `0` is a request that got no answer. */
  failures: z
    .string()
    .max(200)
    .regex(/^[\d.|[\]\\^$*+?(){}-]+$/, 'must be a regular expression over codes such as 5..|429')
    .refine(isExpression, 'must be a regular expression over codes such as 5..|429')
    .default('5..|0'),
  /** The smallest difference that must not go unnoticed, in percentage points of failures. */
  smallestDifference: few(0.001, 50).default(1),
  /** At least so many percent must succeed, whatever stable does. */
  min: Percentage.optional(),
});
export type SuccessRate = z.output<typeof SuccessRate>;

export const Latency = z.strictObject({
  kind: z.literal('latency'),
  /** Which part of the requests is faster: 0.95 for the p95. */
  quantile: z.number().min(0.5).max(0.999).default(0.95),
  /** The smallest difference that must not go unnoticed, in percent of stable's quantile. */
  smallestDifference: few(1, 1_000).default(20),
  /** But no smaller than this: a fifth of a few milliseconds is what a fresh process or another node makes. */
  ignoreBelow: z.union([z.literal(0), Duration]).default(10),
  /** The quantile must be below it, whatever stable does. */
  max: Duration.optional(),
});
export type Latency = z.output<typeof Latency>;

/** The busiest pod's use of its limit. */
export const Saturation = z.strictObject({
  kind: z.literal('saturation'),
  of: z.enum(['cpu', 'memory']),
  /** Percent of the limit. */
  max: Percentage.default(90),
});
export type Saturation = z.output<typeof Saturation>;

/** One's own PromQL, with {{app}}, {{namespace}}, {{canary}}, {{stable}} and {{window}} in it: one number. */
export const PromQl = z
  .strictObject({
    kind: z.literal('promql'),
    name: Name,
    query: z.string().min(1).max(4_000),
    /** The same of stable; the canary's may be at most `atMost` times as large. */
    against: z.string().min(1).max(4_000).optional(),
    atMost: z.number().positive().default(1.2),
    min: z.number().optional(),
    max: z.number().optional(),
  })
  .refine(
    ({ against, min, max }) => against !== undefined || min !== undefined || max !== undefined,
    'needs min, max or against: nothing would be judged',
  );
export type PromQl = z.output<typeof PromQl>;

/** Asks somebody else: POST of JSON, answered by `{ "verdict": "pass" | "fail" | "unsure", "reason": … }`. */
export const WebHook = z.strictObject({
  kind: z.literal('web-hook'),
  name: Name,
  url: z.url({ protocol: /^https?$/ }).refine((url) => {
    const found = URL.parse(url);
    return !found?.username && !found?.password;
  }, 'must hold no credentials'),
});
export type WebHook = z.output<typeof WebHook>;

/** A Job in the cluster decides, once for each share of the traffic: exit code 0 is a pass. */
export const JobMetric = z
  .strictObject({ kind: z.literal('job'), name: Name, ...jobFields })
  .refine(runsOne, 'takes an image or a cronJob');
export type JobMetric = z.output<typeof JobMetric>;

/** Whether a web hook may be asked: over https, or at a host that was named. */
export const mayAsk = (url: string, hosts: readonly string[]): boolean =>
  URL.canParse(url) && (new URL(url).protocol === 'https:' || hosts.includes(new URL(url).origin));

export const Metric = z.discriminatedUnion('kind', [SuccessRate, Latency, Saturation, PromQl, WebHook, JobMetric]);
export type Metric = z.output<typeof Metric>;

/** What people call a metric; the judge's answers go by it. */
export function nameOfMetric(metric: Metric): string {
  switch (metric.kind) {
    case 'success-rate':
      return 'success rate';
    case 'latency':
      return `p${Number((metric.quantile * 100).toFixed(3))} latency`;
    case 'saturation':
      return metric.of === 'cpu' ? 'CPU' : 'memory';
    case 'promql':
    case 'web-hook':
    case 'job':
      return metric.name;
    default:
      return metric satisfies never;
  }
}

export const AnalysisTemplate = z.strictObject({
  /** Whose counters are read: Istio's standard metrics, or those of Envoy's clusters. */
  source: z.enum(['istio', 'envoy']).default('istio'),
  /** Which of Istio's proxies is believed: only the caller's sees the requests that reached nobody. */
  reporter: z.enum(['source', 'destination']).default('source'),
  metrics: z
    .array(Metric)
    .min(1)
    .max(20)
    .refine((metrics) => new Set(metrics.map(nameOfMetric)).size === metrics.length, 'has two metrics of one name'),
  /** The chance that a canary that is no worse is rolled back, over all its looks and metrics together. */
  falseRollback: few(0.001, 20).default(1),
  /** The chance that a canary that is worse by the smallest difference passes. */
  falsePass: few(0.001, 20).default(5),
  /** Before so many requests of the canary, and of stable, nothing is decided by chance; and the canary needs so many at each share. */
  minimumRequests: z.number().int().min(10).max(1_000_000).default(50),
  /** What is done where nothing was known for `unknownLimit`. */
  onUnknown: z.enum(['rollback', 'hold']).default('rollback'),
  unknownLimit: Duration.default(300_000),
  /** A query that takes longer counts as unanswered. */
  queryTimeout: Duration.pipe(z.number().min(100).max(60_000)).default(5_000),
  /** How often Prometheus asks its targets. A newest sample of more than four times that is stale. */
  scrapeInterval: Duration.pipe(z.number().min(100).max(600_000)).default(15_000),
  /** Over what time saturation and {{window}} are measured. */
  window: Duration.pipe(z.number().min(1_000).max(86_400_000)).default(120_000),
});
export type AnalysisTemplate = z.output<typeof AnalysisTemplate>;

/** What a canary is judged by where nothing is named and there is a Prometheus. */
export const usualAnalysis: AnalysisTemplate = AnalysisTemplate.parse({
  metrics: [{ kind: 'success-rate' }, { kind: 'latency' }],
});

/** Named instead of a template where nothing is to judge: time and people alone decide. */
export const noAnalysis = 'none';

/** The template of that name; none where there is none. */
export const analysisOf = (analyses: Record<string, AnalysisTemplate>, name: string): AnalysisTemplate | undefined =>
  Object.hasOwn(analyses, name) ? analyses[name] : name === 'default' ? usualAnalysis : undefined;

/** Which template judges: the app's, the environment's, or `default` where there is a Prometheus. */
export const analysisFor = (
  app: { analysis?: string | undefined } | undefined,
  environment: { analysis?: string | undefined } | undefined,
  measured: boolean,
): string | undefined => app?.analysis ?? environment?.analysis ?? (measured ? 'default' : undefined);
