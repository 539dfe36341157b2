import { z } from 'zod';
import { BuildPlan, ImageCall } from './build.ts';
import { DockerCall } from './docker-host.ts';
import { Edit } from './edits.ts';
import { Touch } from './effects/touch.ts';
import { HarborCall } from './harbor.ts';
import { digestOf, Json, JsonObject } from './json.ts';
import { PartPlan } from './parts.ts';
import { RolloutPlan } from './rollout.ts';

/** One line of the diff that people are shown and approve; a missing side is "not there". */
export const Change = z.object({ path: z.string(), from: Json.optional(), to: Json.optional() });
export type Change = z.output<typeof Change>;

/**
 * The hash of the API server's whole answer to the dry run of a write: part of what is approved. Empty where nothing could be
 * tried, and in plans of before.
 */
const Answer = z.string().default('');

const Ref = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });

/**
 * One write to a cluster: an object applied (server-side) or created under its name, some of its fields set (JSON merge
 * patch, where null takes a field away), single fields of it changed that must be as they were, or the object deleted if it
 * is still the very one.
 */
export const Write = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('apply'), manifest: JsonObject, force: z.boolean(), answer: Answer }),
  z.object({ kind: z.literal('create'), manifest: JsonObject, answer: Answer }),
  z.object({
    kind: z.literal('merge'),
    ref: Ref,
    patch: JsonObject,
    /** Where the object itself does not take the fields. */
    subresource: z.enum(['status', 'ephemeralcontainers']).optional(),
    answer: Answer,
  }),
  z.object({ kind: z.literal('edit'), ref: Ref, edits: z.array(Edit).min(1), answer: Answer }),
  z.object({ kind: z.literal('remove'), ref: Ref, uid: z.string() }),
]);
export type Write = z.output<typeof Write>;

/** A command to be run in a container, word by word, and what it may take. */
export const Command = z.object({
  pod: z.string(),
  /** The very pod: another one of its name is not it. */
  uid: z.string(),
  container: z.string(),
  words: z.array(z.string()),
  seconds: z.number(),
  kilobytes: z.number(),
});
export type Command = z.output<typeof Command>;

/** What an operation found out by reading and dry runs. */
export const Draft = z.object({
  /** One line: `web:v1 → web:v2`. */
  summary: z.string(),
  changes: z.array(Change),
  /** The image that tags were resolved to, at the time of the plan. */
  image: z.object({ reference: z.string(), digest: z.string() }).optional(),
  /** What is applied, whole. */
  manifest: JsonObject.optional(),
  /** The hash of the API server's whole answer to the dry run of `manifest`. */
  answer: z.string().optional(),
  /** What the pods of new objects are made like, as it is now: what goes beyond their level there is not new with them. */
  like: Ref.optional(),
  /** What else is written, in this order. */
  writes: z.array(Write).optional(),
  /** What is run in a container. */
  command: Command.optional(),
  /** What is changed on a Docker host, in this order. */
  docker: z.object({ host: z.string(), calls: z.array(DockerCall) }).optional(),
  /** What is changed in Harbor, in this order. */
  harbor: z.array(HarborCall).optional(),
  /** What is built. */
  build: BuildPlan.optional(),
  /** What is changed in registries, in this order. */
  images: z.array(ImageCall).optional(),
  /** Fields of other field managers that applying would take over. */
  takesOver: z.array(z.object({ field: z.string(), manager: z.string() })).default([]),
  /** What whoever approves it ought to know besides. */
  warnings: z.array(z.string()).optional(),
  /** How a deploy shifts the traffic, where it does. */
  rollout: RolloutPlan.optional(),
  /** The runs that are its parts, wave by wave. */
  parts: z.array(PartPlan).optional(),
  /** What it changes besides what was asked for, as the engine found it, and as it found it of its parts. */
  touches: z.array(Touch).optional(),
  /** Pods that are made to go, by what a Service or workload chooses them by. It is judged by, and not kept: pods come and go. */
  evicts: z
    .array(z.object({ namespace: z.string(), name: z.string(), labels: z.record(z.string(), z.string()) }))
    .optional(),
  /** The steps that this plan leads to, where they are not the same for every plan. */
  checklist: z.array(z.string()).optional(),
  /** What was there before, as it has to be applied to be so again; without a manifest there was nothing. Not for people. */
  before: z.array(z.object({ ref: Ref, manifest: JsonObject.optional() })).optional(),
  /** The operation, and its input, that lead back to how it was. */
  undo: z.object({ operation: z.string(), input: z.record(z.string(), Json) }).optional(),
});
export type Draft = z.output<typeof Draft>;

/** A draft bound by a digest: what an approval is given for. */
export const Plan = Draft.extend({ digest: z.string() });
export type Plan = z.output<typeof Plan>;

/** Binds a draft to its target and policy. Whatever a person relies on when they say yes goes into the digest. */
export function bind(
  draft: Draft,
  terms: { operation: string; target: unknown; policy: unknown; input: unknown; salt?: string },
): Plan {
  const { summary: _, checklist: __, undo: ___, before: ____, ...relied } = draft;
  return { ...draft, digest: digestOf({ ...relied, ...terms }) };
}

/** True where the plan was looked for and nothing would change. A plan without a manifest changes something outside the cluster. */
export function changesNothing(plan: Draft): boolean {
  return (
    (plan.manifest ?? plan.writes ?? plan.docker ?? plan.harbor ?? plan.build ?? plan.images) !== undefined &&
    plan.changes.length === 0
  );
}
