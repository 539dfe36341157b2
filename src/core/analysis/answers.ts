import { linearPattern } from '../linear-pattern.ts';
import type { Sample } from '../measuring.ts';
import type { ArmCounts, Phase } from './arms.ts';
import { envoyClusters, partLabel, type Span, type Subject } from './queries.ts';
import type { AnalysisTemplate } from './template.ts';

/** What Prometheus' answers say, or why they say nothing. */

const clockLimitMs = 30_000;
const staleAfter = 4;

export type Heard<Known> = { kind: 'known'; known: Known } | { kind: 'unknown'; why: string };
const unknown = (why: string) => ({ kind: 'unknown' as const, why });

/** Whether an answer may be believed at all. */
function doubt(samples: readonly Sample[], now: number): string | undefined {
  const [first] = samples;
  if (!first) return 'Prometheus has answered with nothing';
  const off = Math.abs(first.at - now);
  if (!(off <= clockLimitMs)) return `Prometheus’ clock has been ${Math.round(off / 1_000)} s from ours`;
  const odd = samples.find(({ value }) => !Number.isFinite(value));
  if (odd) return `Prometheus has answered with ${odd.value}, which is no number`;
  return undefined;
}

type Arm = 'canary' | 'stable';

/** Whose a series is; nobody's where that cannot be told. */
function armReader({ source }: AnalysisTemplate, subject: Subject): (labels: Sample['labels']) => Arm | undefined {
  if (source === 'envoy') {
    const { stable, canary } = envoyClusters(subject);
    const [isStable, isCanary] = [linearPattern(stable), linearPattern(canary)];
    return ({ envoy_cluster_name: name = '' }) =>
      isCanary.fits(name) ? 'canary' : isStable.fits(name) ? 'stable' : undefined;
  }
  return ({ destination_workload: workload, destination_service_name: service }) => {
    if (workload === subject.canary) return 'canary';
    if (workload === subject.stable) return 'stable';
    // A request that reached no pod has no workload, only the Service that it was for.
    if (service === (subject.canaryService ?? subject.canary)) return 'canary';
    return service === subject.service && workload === 'unknown' ? 'stable' : undefined;
  };
}

/** Codes of gRPC that mean the server failed: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss. */
const grpcFailures = ['2', '4', '12', '13', '14', '15'];

function failureReader({ metrics }: AnalysisTemplate): (labels: Sample['labels']) => boolean {
  const rate = metrics.find((metric) => metric.kind === 'success-rate');
  const codes = linearPattern(rate?.failures ?? '5..|0');
  return ({ response_code, envoy_response_code, grpc_response_status = '' }) =>
    codes.fits(response_code ?? envoy_response_code ?? '') || grpcFailures.includes(grpc_response_status);
}

const empty = (): ArmCounts => ({ requests: 0, failures: 0 });

/** What counters say of each phase: requests and failures, or durations. */
export function readCounters(
  samples: readonly Sample[],
  template: AnalysisTemplate,
  subject: Subject,
  spans: readonly Span[],
  now: number,
): Heard<Phase[]> {
  const doubts = doubt(samples, now);
  if (doubts) return unknown(doubts);
  const newest = samples.find(({ labels }) => labels[partLabel] === 'newest');
  if (!newest) return unknown(`Prometheus has known nothing of ${subject.stable} and ${subject.canary}`);
  const age = newest.at - newest.value * 1_000;
  if (age > staleAfter * template.scrapeInterval) return unknown('Prometheus has had no new sample');
  const [armOf, failed] = [armReader(template, subject), failureReader(template)];
  const phases = spans.map((span): Phase => ({ ...span, canary: empty(), stable: empty() }));
  for (const { labels, value } of samples) {
    const [, what, n] = /^(phase|retried) (\d+)$/.exec(labels[partLabel] ?? '') ?? [];
    const [phase, arm] = [phases[Number(n)], armOf(labels)];
    if (!phase || !arm) continue;
    const counts = phase[arm];
    // A count below nothing is none; Prometheus gives none, but others speak its language too.
    const count = Math.max(0, value);
    // It failed before it was answered well, and stands among the requests already.
    if (what === 'retried') {
      counts.failures += count;
      continue;
    }
    if (labels.le !== undefined) {
      const le = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      const latency = counts.latency ?? [];
      const bucket = latency.find((each) => each.le === le);
      if (bucket) bucket.count += count;
      else latency.push({ le, count });
      counts.latency = latency;
      continue;
    }
    counts.requests += count;
    if (failed(labels)) counts.failures += count;
  }
  return { kind: 'known', known: phases };
}

/** Both arms' figures of one query. What is not there is left out: no figure is no pass. */
export function readArms(
  samples: readonly Sample[],
  now: number,
): Heard<{ canary?: number; stable?: number; at: number }> {
  const doubts = doubt(samples, now);
  if (doubts) return unknown(doubts);
  const of = (arm: Arm) => samples.find(({ labels }) => labels[partLabel] === arm)?.value;
  const [canary, stable] = [of('canary'), of('stable')];
  if (canary === undefined) return unknown('Prometheus has known no figure of the canary');
  return { kind: 'known', known: { canary, ...(stable !== undefined && { stable }), at: samples[0]?.at ?? now } };
}

/** The one number that somebody's own query gives. */
export function readNumber(samples: readonly Sample[], now: number): Heard<number> {
  const doubts = doubt(samples, now);
  if (doubts) return unknown(doubts);
  const [first] = samples;
  if (!first || samples.length > 1)
    return unknown(`Prometheus has answered with ${samples.length} series instead of one`);
  return { kind: 'known', known: first.value };
}
