import { servedIn, type Unknown } from '../../../core/analysis/arms.ts';
import { type Evidence, type Judgement, judge } from '../../../core/analysis/judge.ts';
import type { Subject } from '../../../core/analysis/queries.ts';
import { sentenceOf } from '../../../core/analysis/sentence.ts';
import type { AnalysisTemplate } from '../../../core/analysis/template.ts';
import { unknownNext } from '../../../core/analysis/unknown.ts';
import type { Gate } from '../../../core/canary.ts';
import type { Point } from '../../../core/series.ts';
import { measure } from '../analysis.ts';
import { canaryJobs } from './jobs.ts';
import type { Kit } from './kit.ts';

/** From when to when the canary had one weight. */
export type Phase = { weight: number; since: number; until: number; baseline?: true };

/** What the analysis says of a canary, its one line, and what it did not learn, since when. */
export type Gated = { gate: Gate; said?: string; unknown?: readonly Unknown[]; point?: Point };

type Look = {
  now: number;
  /** The next share leaves stable nothing to compare with: nothing but a pass opens it. */
  strict: boolean;
  /** What was unknown at the look before. */
  unknown: readonly Unknown[];
  /** Stable has the new version already: it is judged by limits alone. */
  after?: boolean;
};

function subjectOf({ run, rollout }: Kit, after: boolean, baseline: string | undefined): Subject {
  const { app, namespace } = run.place;
  const { stable, canary, service, ports } = rollout;
  if (baseline !== undefined) return { app, namespace, stable: baseline, canary, service: baseline, ports };
  // What is judged after the promotion is stable; nothing is there any more to compare it with.
  return after
    ? { app, namespace, stable: canary, canary: stable, service: canary, canaryService: service, ports }
    : { app, namespace, stable, canary, service, ports };
}

/** Enough is known for a somewhat larger share: nothing speaks against it, and there were requests. */
const enough = ({ metrics }: Judgement) =>
  metrics.every(({ kind, code }) => kind === 'pass' || (kind === 'unsure' && code === 'undecided'));

/** How many requests the canary must still answer at a share before its next one: what it was at a smaller one is no proof. */
function missingAt(template: AnalysisTemplate, phase: Evidence['phases'][number] | undefined): number {
  const counts = template.metrics.some(({ kind }) => kind === 'success-rate' || kind === 'latency');
  return counts ? Math.max(0, Math.ceil(template.minimumRequests - servedIn(phase?.canary))) : 0;
}

function gateFor(
  judgement: Judgement,
  next: ReturnType<typeof unknownNext>,
  look: Look,
  { weight, missing }: { weight: number; missing: number },
): Gate {
  if (judgement.kind === 'fail') return 'fail';
  if (next.kind === 'rollback') return 'unknown';
  if (next.kind !== 'known') return 'hold';
  // A Job ends, and is waited for.
  if (judgement.metrics.some(({ code }) => code === 'running')) return 'hold';
  // Those few requests that are chosen by hand, or mirrored, decide nothing.
  if (weight === 0 || look.after) return 'open';
  if (missing > 0) return 'hold';
  if (judgement.kind === 'pass') return 'open';
  return !look.strict && enough(judgement) ? 'open' : 'hold';
}

/** After the promotion no canary is there for a Job to look at. */
const withoutJobs = (template: AnalysisTemplate | undefined): AnalysisTemplate | undefined => {
  const metrics = template?.metrics.filter(({ kind }) => kind !== 'job') ?? [];
  return template && metrics.length > 0 ? { ...template, metrics } : undefined;
};

/** What was measured, for the chart. */
function pointOf({ metrics }: Judgement, at: number, weight: number): Point {
  const rates = metrics.find(({ unit }) => unit === 'share');
  const latency = metrics.find(({ unit }) => unit === 'ms');
  const side = (name: 'stable' | 'canary') => ({
    ...(rates?.[name] !== undefined && { rate: rates[name] }),
    ...(latency?.[name] !== undefined && { latency: latency[name] }),
  });
  return { at, weight, stable: side('stable'), canary: side('canary') };
}

/**
 * Judges a canary by all that was measured since its first share. Asked anew at each look, it needs no memory but of when
 * something became unknown. Where nothing is measured, time alone brings it on.
 */
export async function gateOf(kit: Kit, phases: readonly Phase[], look: Look, signal: AbortSignal): Promise<Gated> {
  const { run, rollout } = kit;
  const template = look.after ? withoutJobs(rollout.analysis?.template) : rollout.analysis?.template;
  if (!template) return { gate: 'open' };
  // What was compared with a baseline, and what with stable, are two comparisons.
  const last = phases.at(-1);
  const alike = phases.filter(({ baseline }) => baseline === last?.baseline);
  const baseline = last?.baseline && rollout.baseline;
  const spans = alike.filter(({ since, until }) => until > since).map(({ since, until }) => ({ since, until }));
  if (spans.length === 0) return { gate: 'hold', unknown: look.unknown };
  const job = canaryJobs(kit, spans.at(-1)?.since ?? look.now, signal, baseline);
  const options = { before: look.unknown, hookHosts: run.settings.hookHosts, job };
  const evidence = await measure(
    run.on,
    template,
    subjectOf(kit, look.after ?? false, baseline),
    spans,
    look.now,
    signal,
    options,
  );
  const judgement = judge(template, evidence, look.now);
  const next = unknownNext(template, evidence, look.now);
  const weight = phases.at(-1)?.weight ?? 0;
  const missing = missingAt(template, evidence.phases.at(-1));
  const found = gateFor(judgement, next, look, { weight, missing });
  // What earlier shares were opens nothing for one that has had no time yet.
  const gate = found === 'open' && last && last.until <= last.since ? 'hold' : found;
  const point = pointOf(judgement, look.now, weight);
  const few = gate === 'hold' && missing > 0 && judgement.kind === 'pass';
  const said = few ? `${sentenceOf(judgement)}; about ${missing} more requests at this share` : sentenceOf(judgement);
  return { gate, said, unknown: evidence.unknown, point };
}
