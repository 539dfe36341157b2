import { z } from 'zod';

/** A group of alerts of one app, as Alertmanager groups them; one message in Slack. */
export const AlertGroup = z.object({
  /** Alertmanager's groupKey, hashed. */
  id: z.string(),
  status: z.enum(['firing', 'resolved']),
  app: z.string().optional(),
  env: z.string().optional(),
  severity: z.string().optional(),
  title: z.string(),
  alerts: z.array(
    z.object({
      fingerprint: z.string(),
      status: z.enum(['firing', 'resolved']),
      name: z.string(),
      summary: z.string(),
      startsAt: z.string(),
      endsAt: z.string().optional(),
    }),
  ),
  firstAt: z.number(),
  updatedAt: z.number(),
  source: z.string().optional(),
});
export type AlertGroup = z.output<typeof AlertGroup>;
