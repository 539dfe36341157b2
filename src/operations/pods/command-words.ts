import { z } from 'zod';

/** A command, as one says it to be run in a container. */
export const Words = z
  .array(
    z
      .string()
      .min(1)
      .max(1_000)
      .regex(/^\P{Cc}*$/u, 'must have no control characters'),
  )
  .min(1, 'needs a command')
  .max(50)
  .describe('The command, word by word; no shell reads it')
  .meta({ examples: [['cat', '/etc/hosts']] });
