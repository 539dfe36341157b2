import { z } from 'zod';
import { CommandPattern } from './command-pattern.ts';

/** Which commands may be run in containers, and what they may take. */
export const ExecSettings = z.strictObject({
  allow: z.array(CommandPattern).min(1).max(200),
  /** A command that takes longer is ended. */
  seconds: z.number().int().min(1).max(600).default(30),
  /** So much of its output is kept. */
  kilobytes: z.number().int().min(1).max(256).default(64),
});
