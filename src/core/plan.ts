import { z } from 'zod';
import { digestOf, Json, JsonObject } from './json.ts';

/** One line of the diff that people are shown and approve; a missing side is "not there". */
export const Change = z.object({ path: z.string(), from: Json.optional(), to: Json.optional() });
export type Change = z.output<typeof Change>;

/** What an operation found out by reading and dry runs. */
export const Draft = z.object({
  /** One line: `web:v1 → web:v2`. */
  summary: z.string(),
  changes: z.array(Change),
  /** The image that tags were resolved to, at the time of the plan. */
  image: z.object({ reference: z.string(), digest: z.string() }).optional(),
  /** What is applied, whole. */
  manifest: JsonObject.optional(),
  /** Fields of other field managers that applying would take over. */
  takesOver: z.array(z.object({ field: z.string(), manager: z.string() })).default([]),
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
  terms: { operation: string; target: unknown; policy: unknown; input: unknown },
): Plan {
  const { changes, image, manifest, takesOver } = draft;
  return { ...draft, digest: digestOf({ changes, image, manifest, takesOver, ...terms }) };
}

/** True where the plan was looked for and nothing would change. A plan without a manifest changes something outside the cluster. */
export function changesNothing(plan: Draft): boolean {
  return plan.manifest !== undefined && plan.changes.length === 0;
}
