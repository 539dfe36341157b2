import { z } from 'zod';
import { Actor } from './actor.ts';
import type { FaultCode } from './errors.ts';
import { Json } from './json.ts';
import { Place, Site } from './place.ts';
import { Plan } from './plan.ts';
import { Verdict } from './policy.ts';
import { Report } from './report.ts';

export const RunState = z.enum([
  'requested',
  'awaiting',
  'queued',
  'running',
  'set-aside',
  'finished',
  'failed',
  'timed-out',
  'rejected',
  'denied',
  'expired',
  'cancelled',
]);
export type RunState = z.output<typeof RunState>;

const open = new Set<RunState>(['requested', 'awaiting', 'queued', 'running', 'set-aside']);
export const isOver = (state: RunState): boolean => !open.has(state);

/** Whether it keeps its turn, or its place in line. What was set aside may have done half of its change. */
export const keepsTurn = ({ state }: { state: RunState }): boolean =>
  state === 'running' || state === 'queued' || state === 'set-aside';

/** A run that was under way in so many workers that were lost, and got no further, is set aside. */
export const mostLost = 2;

/** Where a request came from, and so where its answers go. */
export const Origin = z.discriminatedUnion('surface', [
  z.object({ surface: z.literal('slack'), team: z.string(), channel: z.string(), user: z.string() }),
  z.object({ surface: z.literal('rest') }),
  z.object({ surface: z.literal('webhook'), source: z.string() }),
]);
export type Origin = z.output<typeof Origin>;

/** One person's word on one plan digest. */
export const Decision = z.object({
  actor: Actor,
  kind: z.enum(['approve', 'reject', 'withdraw']),
  digest: z.string(),
  at: z.number(),
  reason: z.string().optional(),
});
export type Decision = z.output<typeof Decision>;

/** Somebody's wish that a run stop. It is kept beside the record, so that it never collides with the worker's writes. */
export const Cancel = z.object({ actor: Actor, at: z.number(), reason: z.string().optional() });
export type Cancel = z.output<typeof Cancel>;

/** Somebody on whose word a run rests, and Slack does not say whether they are still one of us: since when, and how often it was asked. */
export const Unidentified = z.object({ actor: Actor, since: z.number(), tries: z.number().int() });
export type Unidentified = z.output<typeof Unidentified>;

/** That a run was set aside: where it was, how many workers were lost with it, and who took it up again since. */
export const SetAside = z.object({
  at: z.number(),
  from: z.enum(['requested', 'awaiting', 'queued', 'running']),
  workers: z.number().int(),
  resumed: z.object({ actor: Actor, at: z.number() }).optional(),
});
export type SetAside = z.output<typeof SetAside>;

/** A step of a run. `result` counts by presence, never by truth: a step may well return 0 or null. */
export const StepRecord = z.object({
  /** `waiting`: parked until `until`, or until somebody answers; no worker is held meanwhile. */
  state: z.enum(['started', 'waiting', 'done', 'failed']),
  startedAt: z.number(),
  until: z.number().optional(),
  /** Whose answer it waits for, and the answers there are. */
  asks: z.object({ of: z.enum(['requester', 'approvers']), choices: z.array(z.string()) }).optional(),
  endedAt: z.number().optional(),
  /** What it remembers of itself, should it be taken up elsewhere or have waited. */
  memo: Json.optional(),
  /** The newest word of its progress. */
  note: z.string().optional(),
  result: Json.optional(),
});
export type StepRecord = z.output<typeof StepRecord>;

// The codes are the keys of the catalogue in errors.ts; a stored run may bear one that has since been renamed.
export const FaultRecord = z.object({ code: z.string(), message: z.string(), hint: z.string() });
export type FaultRecord = { code: FaultCode | string; message: string; hint: string };

/** One execution of an operation: the record in the store is the truth. Times are milliseconds since the epoch. */
export const Run = z.object({
  id: z.string(),
  /** Grows by one with each stored change; what compare-and-set compares. */
  version: z.number().int(),
  operation: z.string(),
  effect: z.enum(['read', 'change']).optional(),
  input: z.record(z.string(), Json),
  /** Known to nobody who sees the plan's digest: without it the digest would let weak secret values be guessed. */
  salt: z.string().optional(),
  actor: Actor,
  origin: Origin,
  place: Place.optional(),
  /** The environment that it is about, where it is about no app. */
  site: Site.optional(),
  /** All that it is about, where it is about several apps at once. */
  places: z.array(Place).optional(),
  /**
   * The run that this one is a part of, and by what name; `digest` is of the plan that was shown there. `approved`: it stands in
   * the plan of a whole that was approved, so nobody is asked again.
   */
  partOf: z
    .object({ id: z.string(), key: z.string(), digest: z.string().optional(), approved: z.boolean() })
    .optional(),
  /** The ids of the runs that are its parts, by their names. */
  parts: z.record(z.string(), z.string()).optional(),
  state: RunState,
  createdAt: z.number(),
  updatedAt: z.number(),
  /** When it first got its turn to change something; what its deadline counts from. */
  startedAt: z.number().optional(),
  /** When the approval lapses. */
  expiresAt: z.number().optional(),
  /** When somebody must look at it again, should nothing happen before. */
  wakeAt: z.number().optional(),
  /** Which of the calls to its approvers were made. */
  called: z.array(z.enum(['reminded', 'escalated'])).default([]),
  /** W3C trace id: one for all that follows from one request. */
  trace: z.string().optional(),
  /** Approvals, locks and freezes were passed over, for this reason; `reviewed` once somebody else has looked at it. */
  breakGlass: z
    .object({ reason: z.string(), reviewed: z.object({ actor: Actor, at: z.number() }).optional() })
    .optional(),
  cancelled: Cancel.optional(),
  setAside: SetAside.optional(),
  /** It waits for Slack to say who this is; nothing is done meanwhile. */
  unidentified: Unidentified.optional(),
  /** The record that was last found unreadable while it was under way: that is said once. */
  unreadable: z.string().optional(),
  plan: Plan.optional(),
  /** Set where an approved plan no longer held and the question is asked anew. */
  replanned: z.boolean().optional(),
  verdict: Verdict.optional(),
  decisions: z.array(Decision).default([]),
  /** The approvals among them that it rests on. */
  counted: z.array(Decision).optional(),
  /** The step names in order, as the operation declares them. */
  checklist: z.array(z.string()).default([]),
  steps: z.record(z.string(), StepRecord).default({}),
  report: Report.optional(),
  fault: FaultRecord.optional(),
});
export type Run = z.output<typeof Run>;

/** What happened in a run, oldest first; the message's thread, SSE and audit are made from it. */
export const RunEvent = z.object({
  at: z.number(),
  kind: z.enum(['state', 'plan', 'decision', 'call', 'cancel', 'steer', 'step', 'note', 'log']),
  text: z.string(),
  step: z.string().optional(),
  /** Who did it, where it was somebody else than the run's own requester. */
  actor: Actor.optional(),
  reason: z.string().optional(),
});
export type RunEvent = z.output<typeof RunEvent>;
