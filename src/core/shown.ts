import { z } from 'zod';

/**
 * A file that a message is to show, how often Slack would not, and when and of which moment it was drawn; `before` is the one
 * that the message shows until then.
 */
export const Picture = z.object({
  file: z.string(),
  refused: z.number(),
  of: z.string().optional(),
  at: z.number().optional(),
  before: z.string().optional(),
});
export type Picture = z.output<typeof Picture>;

/**
 * What a subject's message looks like now; `cursor` is the last event that a run's thread has, or since when an alert fires;
 * `edited` is when the message of a run under way was brought up to date, and at which moment of the run.
 */
export const Shown = z.object({
  channel: z.string(),
  ts: z.string(),
  hash: z.string(),
  cursor: z.string(),
  /** The message whose thread it is in, where it is in one. */
  thread: z.string().optional(),
  picture: Picture.optional(),
  edited: z.object({ of: z.string(), at: z.number() }).optional(),
  /** The thread has the run's end, and not yet the file that comes with it. */
  owesFile: z.literal(true).optional(),
  /** The plan that the thread has whole, or how many replies with it so far. */
  told: z.object({ digest: z.string(), replies: z.number(), done: z.boolean() }).optional(),
});
export type Shown = z.output<typeof Shown>;
