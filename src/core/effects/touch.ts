import { z } from 'zod';

/**
 * What a plan changes besides what it was asked for: an app in an environment, an environment as a whole, or (without an
 * environment) an app's images. Policy, locks, freezes and turns hold for it as if it had been asked for by each of the
 * operations.
 */
export const Touch = z.object({
  app: z.string().optional(),
  env: z.string().optional(),
  /** The one that was asked for, and those that are meant for such a change. */
  operations: z.array(z.string()).min(1),
  /** In what its pods would go beyond the Pod Security level of the environment. */
  beyond: z.array(z.string()).optional(),
  /** How many replicas change, where they do. */
  replicas: z.object({ from: z.number(), to: z.number() }).optional(),
});
export type Touch = z.output<typeof Touch>;
