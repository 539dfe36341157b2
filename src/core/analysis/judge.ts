import { type Evidence, type Finding, type Phase, type Rigour, soundPhases, type Verdict, worstOf } from './arms.ts';
import { judgeGauge, judgeTold } from './gauges.ts';
import { judgeLatency, testsOfLatency } from './latency.ts';
import { judgeRates, testsOfRate } from './rates.ts';
import { type AnalysisTemplate, type Metric, nameOfMetric } from './template.ts';

export type { ArmCounts, Evidence, Phase } from './arms.ts';

export type MetricJudgement = { metric: string } & Finding;
export type Judgement = { kind: Verdict; metrics: MetricJudgement[] };

/** Among how many tests of chance the chance of a false rollback is divided. */
function testsIn(metrics: readonly Metric[]): number {
  const tests = metrics.map((metric) =>
    metric.kind === 'success-rate' ? testsOfRate(metric) : metric.kind === 'latency' ? testsOfLatency(metric) : 0,
  );
  return Math.max(
    1,
    tests.reduce((sum, count) => sum + count, 0),
  );
}

function rigourOf({ falseRollback, falsePass, minimumRequests, metrics }: AnalysisTemplate): Rigour {
  // One regression passes where its own metric passes: that chance is not divided.
  return { falseRollback: falseRollback / 100 / testsIn(metrics), falsePass: falsePass / 100, minimumRequests };
}

/** What one metric says of the evidence, as if everything of it were known. */
function findingOf(metric: Metric, evidence: Evidence, phases: readonly Phase[], rigour: Rigour): Finding {
  const value = evidence.values.find((each) => each.metric === nameOfMetric(metric));
  switch (metric.kind) {
    case 'success-rate':
      return judgeRates(metric, phases, rigour);
    case 'latency':
      return judgeLatency(metric, phases, rigour);
    case 'saturation':
    case 'promql':
      return judgeGauge(metric, value);
    case 'web-hook':
    case 'job':
      return judgeTold(value);
    default:
      return metric satisfies never;
  }
}

const mostTimes = 1_024;

/** The phases as they would be with so many times as much of the same. */
const grown = (phases: readonly Phase[], times: number): Phase[] => {
  const arm = ({ requests, failures, latency }: Phase['canary']) => ({
    requests: requests * times,
    failures: failures * times,
    ...(latency && { latency: latency.map(({ le, count }) => ({ le, count: count * times })) }),
  });
  return phases.map((phase) => ({ ...phase, canary: arm(phase.canary), stable: arm(phase.stable) }));
};

/** How much more of the same would decide it; nothing where a thousand times as much would not. */
function needsOf(
  metric: Metric,
  evidence: Evidence,
  phases: readonly Phase[],
  finding: Finding,
  rigour: Rigour,
): Finding['needs'] {
  const requests = finding.requests ?? 0;
  const last = phases.at(-1);
  if (requests <= 0) return { requests: rigour.minimumRequests };
  const decides = (times: number) => findingOf(metric, evidence, grown(phases, times), rigour).kind !== 'unsure';
  let [low, high] = [1, 2];
  while (high <= mostTimes && !decides(high)) [low, high] = [high, high * 2];
  if (high > mostTimes) return undefined;
  for (let n = 0; n < 6; n++) {
    const middle = (low + high) / 2;
    if (decides(middle)) high = middle;
    else low = middle;
  }
  const more = Math.max(1, Math.ceil(requests * (high - 1)));
  const pace = last && last.until > last.since ? last.canary.requests / (last.until - last.since) : 0;
  return { requests: more, ...(pace > 0 && { ms: Math.round(more / pace) }) };
}

/**
 * What the evidence says, without how much more is needed: a pure function of all counts so far, which may be asked at any time
 * and as often as one likes without making a false rollback any likelier.
 */
export function decide(template: AnalysisTemplate, evidence: Evidence, now: number): Judgement {
  const [rigour, phases] = [rigourOf(template), soundPhases(evidence.phases)];
  const metrics = template.metrics.map((metric): MetricJudgement => {
    const name = nameOfMetric(metric);
    const unknown = evidence.unknown.find((each) => each.metric === name);
    const finding = findingOf(metric, evidence, phases, rigour);
    if (!unknown) return { metric: name, ...finding };
    const { kind: _, code: __, ...known } = finding;
    const unknownMs = Math.max(0, now - unknown.since);
    return { metric: name, ...known, kind: 'unsure', code: 'unknown', problem: unknown.why, unknownMs };
  });
  return { kind: worstOf(metrics.map(({ kind }) => kind)), metrics };
}

/** What the evidence says, and where it says too little, how much more is needed. */
export function judge(template: AnalysisTemplate, evidence: Evidence, now: number): Judgement {
  const [rigour, phases] = [rigourOf(template), soundPhases(evidence.phases)];
  const { kind, metrics } = decide(template, evidence, now);
  const full = metrics.map((judged, n): MetricJudgement => {
    const metric = template.metrics[n];
    const counted = metric?.kind === 'success-rate' || metric?.kind === 'latency';
    if (!counted || judged.kind !== 'unsure' || judged.code === 'unknown') return judged;
    const needs = needsOf(metric, evidence, phases, judged, rigour);
    return needs ? { ...judged, needs } : judged;
  });
  return { kind, metrics: full };
}
