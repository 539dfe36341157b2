import { z } from 'zod';
import { Actor } from './actor.ts';
import { Verdict } from './policy.ts';
import { Point } from './series.ts';

/** Why pods don't get ready, as found in the pods themselves. `detail` is the cluster's own words. */
export const PodTrouble = z.object({
  code: z.enum(['image-pull', 'crash-loop', 'no-room', 'quota', 'bad-config', 'not-ready', 'unheard', 'unknown']),
  pod: z.string().optional(),
  detail: z.string(),
  /** The last log lines of a container that crashed. */
  logs: z.array(z.string()).default([]),
});
export type PodTrouble = z.output<typeof PodTrouble>;

/** An operation that may be asked for next, ready to click. */
export const Next = z.object({
  label: z.string(),
  operation: z.string(),
  input: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Next = z.output<typeof Next>;

/** Something that was seen, or that somebody did, at that time (ms since the epoch) where it is known. */
export const Evidence = z.object({ at: z.number().optional(), what: z.string(), detail: z.string() });
export type Evidence = z.output<typeof Evidence>;

const strategy = z.enum(['canary', 'blue-green']);
const stages = z.array(z.object({ weight: z.number(), since: z.number(), until: z.number() }));
/** What was measured on the way, for the chart; left out where nothing was, and then the stages tell the course. */
const series = z.array(Point).optional();
/** The apps of a release, each with its run. */
const released = z.array(z.object({ app: z.string(), summary: z.string(), run: z.string().optional() }));
const replicas = { replicas: z.number(), ready: z.number() };

/** How an operation ended. Words live in the renderers. */
export const Report = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unchanged') }),
  z.object({ kind: z.literal('rolled-out'), ...replicas, seconds: z.number() }),
  z.object({ kind: z.literal('rollout-failed'), ...replicas, trouble: PodTrouble }),
  z.object({ kind: z.literal('rollout-timed-out'), ...replicas, trouble: PodTrouble, seconds: z.number() }),
  /** Something was said to a run under way. */
  z.object({ kind: z.literal('steered'), run: z.string(), said: z.string() }),
  /** A deploy that shifted the traffic, and stayed. Stages with their times in ms since the epoch. */
  z.object({ kind: z.literal('promoted'), strategy, ...replicas, stages, series, said: z.string().optional() }),
  /** One that went back to stable: why, and by whom where somebody said so. */
  z.object({
    kind: z.literal('rolled-back'),
    strategy,
    reason: z.enum(['aborted', 'broken', 'regression', 'unknown', 'fault']),
    detail: z.string(),
    by: Actor.optional(),
    trouble: PodTrouble.optional(),
    stages,
    series,
    said: z.string().optional(),
  }),
  /** Several apps at once: all are on their new versions, but for those that somebody changed beside Shipmate. */
  z.object({ kind: z.literal('released'), apps: released, differs: z.array(z.string()) }),
  /** Several apps at once, of which one failed, so that all went back; `stays` could not. */
  z.object({
    kind: z.literal('taken-back'),
    app: z.string(),
    why: z.string(),
    aborted: z.boolean(),
    apps: released,
    stays: z.array(z.object({ app: z.string(), why: z.string() })),
  }),
  z.object({ kind: z.literal('superseded'), by: z.string().optional() }),
  z.object({
    kind: z.literal('built'),
    image: z.string(),
    digest: z.string(),
    tag: z.string(),
    seconds: z.number(),
    /** The registry had it already. */
    reused: z.boolean().optional(),
    log: z.string().optional(),
  }),
  /** A build that came to its end and failed; `problem` names the line of the Dockerfile. */
  z.object({ kind: z.literal('build-failed'), image: z.string(), problem: z.string(), log: z.string() }),
  z.object({ kind: z.literal('locked'), scope: z.string(), reason: z.string(), until: z.number() }),
  z.object({ kind: z.literal('unlocked'), scope: z.string() }),
  z.object({ kind: z.literal('turn'), end: z.enum(['done', 'over', 'passed', 'unclaimed']) }),
  z.object({ kind: z.literal('away'), from: z.string(), to: z.string(), until: z.number() }),
  z.object({ kind: z.literal('back'), from: z.string() }),
  z.object({ kind: z.literal('verdict'), who: z.string(), what: z.string(), verdict: Verdict, terms: z.string() }),
  /** Objects of a cluster were changed as planned; each as `ConfigMap/app-config`. */
  z.object({ kind: z.literal('changed'), objects: z.array(z.string()), note: z.string().optional() }),
  /** Text as it is, such as a log: its end is shown, and the whole is a file where it is long. */
  z.object({ kind: z.literal('text'), title: z.string(), text: z.string(), note: z.string().optional() }),
  /** How a command in a container ended. Size and hash are of the whole output, also where only its beginning was kept. */
  z.object({
    kind: z.literal('executed'),
    pod: z.string(),
    container: z.string(),
    command: z.string(),
    /** Missing where it did not end by itself. */
    exitCode: z.number().optional(),
    timedOut: z.boolean(),
    /** Why it could not be run, or not to its end. */
    problem: z.string().optional(),
    text: z.string(),
    cut: z.boolean(),
    bytes: z.number(),
    sha256: z.string(),
    seconds: z.number(),
  }),
  /** Rows of words under their columns, for what is looked up. */
  z.object({
    kind: z.literal('table'),
    title: z.string(),
    columns: z.array(z.string()),
    rows: z.array(z.array(z.string())),
    note: z.string().optional(),
  }),
  /** What is wrong with an app, why, and what to do: the cause nearest the root, with the others counted. */
  z.object({
    kind: z.literal('explanation'),
    app: z.string(),
    env: z.string(),
    /** `risk`: its pods are well, and something else is not. */
    state: z.enum(['well', 'starting', 'risk', 'trouble', 'unknown']),
    code: z.string().optional(),
    headline: z.string(),
    cause: z.string(),
    remedy: z.string(),
    /** To be pasted into a shell (`kubectl …`) or into Slack (`/ship …`). */
    command: z.string().optional(),
    /** The last log lines of a container that crashed. */
    logs: z.array(z.string()),
    others: z.array(z.object({ code: z.string(), what: z.string() })),
    evidence: z.array(Evidence),
    next: z.array(Next),
  }),
  z.object({
    kind: z.literal('status'),
    apps: z.array(
      z.object({
        app: z.string(),
        env: z.string(),
        image: z.string().optional(),
        ...replicas,
        updated: z.number(),
        since: z.string().optional(),
        trouble: PodTrouble.optional(),
        /** Why it does not go on although nothing is broken: it is paused, say. */
        held: z.string().optional(),
        problem: z.string().optional(),
        /** The run that changed it last, where the store ought to know it and does not. */
        lostRun: z.string().optional(),
      }),
    ),
  }),
]);
export type Report = z.output<typeof Report>;

/** The state a run ends in with this report. */
export function endOf(report: Report): 'finished' | 'failed' | 'timed-out' | 'cancelled' {
  switch (report.kind) {
    case 'rolled-back':
      return report.reason === 'aborted' ? 'cancelled' : 'failed';
    case 'taken-back':
      return report.aborted && report.stays.length === 0 ? 'cancelled' : 'failed';
    case 'released':
      return report.differs.length > 0 ? 'failed' : 'finished';
    case 'rollout-failed':
    case 'build-failed':
    case 'superseded':
      return 'failed';
    case 'rollout-timed-out':
      return 'timed-out';
    case 'executed':
      return report.timedOut ? 'timed-out' : report.exitCode === 0 ? 'finished' : 'failed';
    case 'unchanged':
    case 'rolled-out':
    case 'promoted':
    case 'steered':
    case 'built':
    case 'status':
    case 'locked':
    case 'unlocked':
    case 'turn':
    case 'away':
    case 'back':
    case 'verdict':
    case 'table':
    case 'changed':
    case 'text':
    case 'explanation':
      return 'finished';
    default:
      return report satisfies never;
  }
}

/** `1 place`, `3 places`: how much a status tells of. */
export const placesText = (count: number): string => (count === 1 ? '1 place' : `${count} places`);
