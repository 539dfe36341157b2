import { z } from 'zod';
import { AnalysisTemplate } from './analysis/template.ts';
import { JsonObject } from './json.ts';
import { SmokeTest } from './smoke-test.ts';
import { Duration, Percentage } from './values.ts';

/** A whole percentage: what a traffic router takes. */
export const Weight = z.preprocess(
  (value) => {
    const parsed = Percentage.safeParse(value);
    return parsed.success ? parsed.data : value;
  },
  z
    .number('must be a percentage such as 25%')
    .int('must be a whole percentage')
    .min(0, 'must be at least 0 %')
    .max(100, 'must be at most 100 %'),
);

/** Requests that go to the canary whatever its weight: those with this header, or this cookie. */
export const Match = z
  .strictObject({
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header')
      .optional(),
    cookie: z
      .string()
      .regex(/^[\w-]+$/, 'must be the name of a cookie')
      .optional(),
    value: z.string().min(1).max(200),
  })
  .refine(({ header, cookie }) => (header === undefined) !== (cookie === undefined), 'takes a header or a cookie');
export type Match = z.output<typeof Match>;

/** One step of a progressive deploy: so much of the traffic goes to the new version, for so long. */
export const Stage = z
  .strictObject({
    weight: Weight.default(0),
    /** Until it goes on by itself; with `manual` it never does. */
    bake: Duration.optional(),
    /** It waits until somebody promotes it. */
    manual: z.boolean().default(false),
    match: Match.optional(),
    /** A copy of so much of the traffic goes to the canary as well; its answers are thrown away. */
    mirror: Weight.optional(),
    /**
     * Fresh pods of stable's version stand beside it, get the same share, and are what it is compared with: an experiment.
     */
    baseline: z.boolean().optional(),
  })
  .refine(({ weight, baseline }) => !baseline || weight <= 50, 'has a baseline, which gets as much: at most 50 %');
export type Stage = z.output<typeof Stage>;

export const strategies = ['rolling', 'canary', 'blue-green'] as const;

/** How an app's deploys shift, where a deploy itself does not say. */
export const RolloutSettings = z.strictObject({
  strategy: z.enum(strategies).default('rolling'),
  /** Of a canary: the shares of the traffic, one after the other. */
  weights: z.array(Weight).min(1).max(20).optional(),
  /** The same with all that a step can have; instead of `weights`. */
  steps: z.array(Stage).min(1).max(20).optional(),
  /** How long each share is watched. */
  bake: Duration.optional(),
  /** Of a blue-green deploy: how long the old version is kept after the switch, for going back at once. */
  keep: Duration.optional(),
  /** After the promotion: so long a regression still rolls back by itself. */
  watch: Duration.optional(),
  /** How long requests that are under way may take to end, once their version gets no new ones. */
  drain: Duration.optional(),
  /**
   * How long it may take until all proxies know of new pods, and of a new share: traffic comes, and what is measured counts,
   * from then on.
   */
  reach: Duration.optional(),
  /** What moves the traffic; left out, what is found: a VirtualService, an HTTPRoute, else the numbers of pods. */
  router: z.enum(['istio', 'gateway', 'replicas']).optional(),
  /** The Service whose traffic it is, where it is not called like the workload. */
  service: z.string().optional(),
  /** Where a policy that holds for stable's pods can't be made to hold for the canary's: say so, or refuse. */
  unprotected: z.enum(['warn', 'refuse']).optional(),
  /** What the new version is asked before it gets any traffic. */
  smokeTest: SmokeTest.optional(),
});
export type RolloutSettings = z.output<typeof RolloutSettings>;

/** What scales a workload by itself. */
export const ScalerKind = z.enum(['HorizontalPodAutoscaler', 'ScaledObject']);
export type ScalerKind = z.output<typeof ScalerKind>;

const Names = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });

/** What moves the traffic. `created`: it was not there before and goes away at the end. */
export const RouterPlan = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('istio'), ref: Names, created: z.boolean() }),
  z.object({ kind: z.literal('gateway'), ref: Names }),
  z.object({ kind: z.literal('replicas') }),
]);
export type RouterPlan = z.output<typeof RouterPlan>;

/** A progressive deploy as planned: bound by the approval like everything else. */
export const RolloutPlan = z.object({
  strategy: z.enum(['canary', 'blue-green']),
  stages: z.array(Stage).min(1),
  /** The Deployment that people know, the one beside it, and the Service whose traffic is shifted. */
  stable: z.string(),
  canary: z.string(),
  service: z.string(),
  /** Ports of the Service. */
  ports: z.array(z.number()),
  router: RouterPlan,
  /**
   * The kinds of policies that hold for the canary as for stable for as long as it is there, but for those that the plan
   * names. Missing in plans of before that was so.
   */
  guarded: z.object({ kinds: z.array(z.string()), except: z.array(z.string()) }).optional(),
  /**
   * The autoscaler of stable, and its least count, which is raised while stable has no traffic to be judged by. In plans of
   * before KEDA was known here it has no kind.
   */
  scaler: z.object({ kind: ScalerKind.optional(), name: z.string(), min: z.number() }).optional(),
  /** What judges it, whole: who approves the plan approves that too. None where nothing is measured. */
  analysis: z.object({ name: z.string(), template: AnalysisTemplate }).optional(),
  /** The Deployment and Service of the experiment's baseline. */
  baseline: z.string().optional(),
  smokeTest: SmokeTest.optional(),
  /**
   * The digests of what the CronJobs ran, at planning, that lend their templates to checks: no other version of them is run.
   * Missing in plans of before that was so.
   */
  cronJobs: z.record(z.string(), z.string()).optional(),
  watchMs: z.number(),
  drainMs: z.number(),
  reachMs: z.number(),
  /** Stable as it was, for the way back where it was being replaced already. */
  restore: JsonObject.optional(),
});
export type RolloutPlan = z.output<typeof RolloutPlan>;

export const usual = {
  weights: [10, 25, 50, 75, 100],
  bakeMs: 5 * 60_000,
  keepMs: 10 * 60_000,
  watchMs: 0,
  drainMs: 15_000,
  reachMs: 2_000,
} as const;

/** The name of a stage's step: `weight 10`. */
export const stepOf = ({ weight }: Pick<Stage, 'weight'>): `weight ${number}` => `weight ${weight}`;

/** `10 % for 5 min → 50 % until promoted → 100 %`. */
export function stagesText(stages: readonly Stage[]): string {
  const minutes = (ms: number) => (ms >= 60_000 ? `${Math.round(ms / 6_000) / 10} min` : `${Math.round(ms / 1_000)} s`);
  const one = ({ weight, bake, manual, match, mirror, baseline }: Stage) =>
    [
      `${weight} %`,
      ...(match ? [`and ${match.header ?? `cookie ${match.cookie}`}=${match.value}`] : []),
      ...(baseline
        ? [weight > 0 ? 'beside as much for fresh pods of the old version' : 'beside a fresh pod of the old version']
        : []),
      ...(mirror ? [`and a copy of ${mirror} %`] : []),
      ...(manual ? ['until promoted'] : bake ? [`for ${minutes(bake)}`] : []),
    ].join(' ');
  return stages.map(one).join(' → ');
}

/** What led out of a stage: on with the next one, through all that are left, or to a share that somebody asked for. */
export type StageWord = { kind: 'on'; full: boolean } | { kind: 'weight'; weight: number };

/** The stage that comes after `stage`, and its place among the planned ones; without a stage the promotion comes. */
export function stageAfter(
  { stages, router }: Pick<RolloutPlan, 'stages' | 'router'>,
  stage: Stage,
  index: number,
  word: StageWord,
): { stage: Stage | undefined; index: number } {
  if (word.kind === 'weight') {
    const { weight } = word;
    // What waits for people goes on waiting for them: whoever gives it a larger share by hand does not promote it.
    const asked: Stage = { weight, manual: stage.manual, ...(stage.bake !== undefined && { bake: stage.bake }) };
    return { stage: asked, index: stages.findLastIndex((each) => each.weight <= weight) };
  }
  const on = word.full ? Math.max(index + 1, stages.length - 1) : index + 1;
  // Stable is replaced only while it serves nobody: all traffic comes before the promotion, also where it was skipped.
  const last = stage.weight < 100 && router.kind !== 'replicas' ? { weight: 100, manual: false } : undefined;
  const next = stages[on] ?? last;
  return { stage: word.full && next ? { weight: next.weight, manual: false } : next, index: on };
}
