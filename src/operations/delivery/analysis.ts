import { z } from 'zod';
import { type Heard, readArms, readCounters, readNumber } from '../../core/analysis/answers.ts';
import type { ArmCounts, Evidence, Phase, Unknown, Value } from '../../core/analysis/arms.ts';
import { countersQuery, filledQuery, type Span, type Subject, saturationQuery } from '../../core/analysis/queries.ts';
import {
  type AnalysisTemplate,
  type JobMetric,
  type Metric,
  nameOfMetric,
  type PromQl,
  type Saturation,
  type WebHook,
} from '../../core/analysis/template.ts';
import { Fault } from '../../core/errors.ts';
import type { Sample } from '../../core/measuring.ts';
import type { Clients } from '../../core/ports.ts';

/** What the measuring needs besides. */
export type MeasureOptions = {
  /** What was unknown at the look before: what still is has been so since then. */
  before?: readonly Unknown[];
  /** Hosts that web hooks may be asked at over plain http: `hookHosts` of the settings. */
  hookHosts?: readonly string[];
  /** Runs a Job for the phase that is going on, or looks how it is. */
  job?: AskJob;
};

export type AskJob = (metric: JobMetric) => Promise<Heard<Value>>;

type Look = {
  on: Pick<Clients, 'metrics' | 'hooks'>;
  template: AnalysisTemplate;
  subject: Subject;
  spans: readonly Span[];
  now: number;
  hookHosts: readonly string[];
  job: AskJob;
  signal: AbortSignal;
};

/** Why there is no answer, so that “for 3 min” may follow. */
function whyNot(thrown: unknown, { signal }: Look): { kind: 'unknown'; why: string } {
  signal.throwIfAborted();
  if (!(thrown instanceof Fault)) throw thrown;
  switch (thrown.code) {
    case 'METRICS_OFF':
      return { kind: 'unknown', why: 'METRICS_ENDPOINT has not been set' };
    case 'METRICS_UNREACHABLE':
      return { kind: 'unknown', why: 'Prometheus has not answered' };
    case 'METRICS_REFUSED':
    case 'HOOK_FAILED':
      return { kind: 'unknown', why: `${thrown.message.replace(/\.$/, '')}, and that` };
    default:
      throw thrown;
  }
}

/** Asks, and takes whatever goes wrong on the way for “don't know”. */
async function heard<Known>(
  look: Look,
  query: string,
  read: (samples: Sample[]) => Heard<Known>,
): Promise<Heard<Known>> {
  try {
    return read(await look.on.metrics.query(query, { timeoutMs: look.template.queryTimeout }, look.signal));
  } catch (thrown) {
    return whyNot(thrown, look);
  }
}

function counted(look: Look, what: 'requests' | 'durations'): Promise<Heard<Phase[]>> {
  const { template, subject, spans, now } = look;
  const query = countersQuery(template, subject, spans, what);
  return heard(look, query, (samples) => readCounters(samples, template, subject, spans, now));
}

async function ownQuery(look: Look, metric: PromQl): Promise<Heard<Value>> {
  const { template, subject, now } = look;
  const ask = (query: string) =>
    heard(look, filledQuery(query, template, subject), (samples) => readNumber(samples, now));
  const [canary, stable] = await Promise.all([ask(metric.query), metric.against && ask(metric.against)]);
  if (canary.kind === 'unknown') return canary;
  if (stable && stable.kind === 'unknown') return stable;
  const known = { metric: metric.name, canary: canary.known, ...(stable && { stable: stable.known }), at: now };
  return { kind: 'known', known };
}

async function saturation(look: Look, metric: Saturation): Promise<Heard<Value>> {
  const { template, subject, now } = look;
  const answer = await heard(look, saturationQuery(metric, template, subject), (samples) => readArms(samples, now));
  return answer.kind === 'known' ? { kind: 'known', known: { metric: nameOfMetric(metric), ...answer.known } } : answer;
}

const Told = z.object({ verdict: z.enum(['pass', 'fail', 'unsure']), reason: z.string().max(2_000).optional() });

async function told(look: Look, { name, url }: WebHook): Promise<Heard<Value>> {
  const { on, template, subject, spans, now, hookHosts, signal } = look;
  const { app, namespace, stable, canary } = subject;
  const body = {
    metric: name,
    app,
    namespace,
    stable,
    canary,
    phases: spans.map(({ since, until }) => ({ since, until })),
  };
  try {
    const answer = await on.hooks.ask(url, body, { timeoutMs: template.queryTimeout, hosts: hookHosts }, signal);
    const parsed = Told.safeParse(answer);
    if (!parsed.success) return { kind: 'unknown', why: `${name} has given no verdict` };
    const { verdict, reason } = parsed.data;
    const known: Value = { metric: name, verdict, at: now, ...(reason && { reason: reason.slice(0, 200) }) };
    return { kind: 'known', known };
  } catch (thrown) {
    return whyNot(thrown, look);
  }
}

const noCluster: AskJob = async ({ name }) => ({ kind: 'unknown', why: `${name} has had no cluster to run in` });

type Part = { metric: string; found: Heard<Value | Phase[]> };

async function partOf(look: Look, metric: Metric): Promise<Part> {
  const name = nameOfMetric(metric);
  switch (metric.kind) {
    case 'success-rate':
      return { metric: name, found: await counted(look, 'requests') };
    case 'latency':
      return { metric: name, found: await counted(look, 'durations') };
    case 'saturation':
      return { metric: name, found: await saturation(look, metric) };
    case 'promql':
      return { metric: name, found: await ownQuery(look, metric) };
    case 'web-hook':
      return { metric: name, found: await told(look, metric) };
    case 'job':
      return { metric: name, found: await look.job(metric) };
    default:
      return metric satisfies never;
  }
}

/** Requests come from one query, durations from the other. */
function merged(spans: readonly Span[], found: readonly Phase[][]): Phase[] {
  return spans.map(({ since, until }, n) => {
    const arm = (side: 'canary' | 'stable') =>
      found.reduce<ArmCounts>(
        (sum, phases) => {
          const counts = phases[n]?.[side];
          const latency = counts?.latency ?? sum.latency;
          return {
            requests: sum.requests + (counts?.requests ?? 0),
            failures: sum.failures + (counts?.failures ?? 0),
            ...(latency && { latency }),
          };
        },
        { requests: 0, failures: 0 },
      );
    return { since, until, canary: arm('canary'), stable: arm('stable') };
  });
}

/**
 * What is known of a canary now: all counts since its phases began, as of Prometheus. Nothing needs to be remembered, so whoever
 * was killed asks again. A Prometheus that is slow, down, or not to be believed is no error: its metrics are unknown, with why.
 */
export async function measure(
  on: Pick<Clients, 'metrics' | 'hooks'>,
  template: AnalysisTemplate,
  subject: Subject,
  phases: readonly Span[],
  now: number,
  signal: AbortSignal,
  { before = [], hookHosts = [], job = noCluster }: MeasureOptions = {},
): Promise<Evidence> {
  const look: Look = { on, template, subject, spans: phases, now, hookHosts, job, signal };
  // One latency query serves all quantiles.
  const durations = template.metrics.find(({ kind }) => kind === 'latency');
  const asked = template.metrics.filter((metric) => metric.kind !== 'latency' || metric === durations);
  const parts = await Promise.all(asked.map((metric) => partOf(look, metric)));
  const slow = durations && parts.find(({ metric }) => metric === nameOfMetric(durations));
  const others = template.metrics.filter((metric) => !asked.includes(metric));
  const all = [
    ...parts,
    ...others.flatMap((metric) => (slow ? [{ metric: nameOfMetric(metric), found: slow.found }] : [])),
  ];
  const unknown = all.flatMap(({ metric, found }): Unknown[] => {
    if (found.kind === 'known') return [];
    const since = before.find((each) => each.metric === metric)?.since ?? now;
    return [{ metric, why: found.why, since: Math.min(since, now) }];
  });
  const known = parts.flatMap(({ found }) => (found.kind === 'known' ? [found.known] : []));
  const counts = known.flatMap((each) => (Array.isArray(each) ? [each] : []));
  const values = known.flatMap((each) => (Array.isArray(each) ? [] : [each]));
  return { phases: merged(phases, counts), values, unknown };
}
