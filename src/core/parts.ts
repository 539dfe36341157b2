import { z } from 'zod';
import type { Actor } from './actor.ts';
import { Json } from './json.ts';
import type { Run } from './run.ts';

/** A run that a plan leads to: which wave it belongs to, the plan that it must have, and the way back from it. */
export const PartPlan = z.object({
  key: z.string(),
  wave: z.number().int(),
  app: z.string(),
  operation: z.string(),
  input: z.record(z.string(), Json),
  digest: z.string(),
  summary: z.string(),
  image: z.object({ reference: z.string(), digest: z.string() }).optional(),
  back: z.object({ operation: z.string(), input: z.record(z.string(), Json) }),
});
export type PartPlan = z.output<typeof PartPlan>;

/** `web:v1 → web:v2`, with the app before it where the images are not called like it. */
export const partText = ({ app, summary }: Pick<PartPlan, 'app' | 'summary'>): string =>
  summary.startsWith(`${app}:`) ? summary : `${app} ${summary}`;

/** What a run asks of a part: the operation, its input, and the digest of the plan that was shown. */
export type PartAsk = { operation: string; input: Record<string, unknown>; digest?: string };

/** The runs that are parts of another. */
export type Parts = {
  /** Asks for a part, once for each name; answers with it as it is now. @throws Fault where it is refused */
  ask(key: string, ask: PartAsk): Promise<Run>;
  /** Stops a part that is not over, in that person's name. */
  stop(id: string, wish: { actor: Actor; reason?: string }): Promise<void>;
};
