import { z } from 'zod';
import { Platform, Stage } from '../../core/image-settings.ts';
import { Switch } from '../../core/values.ts';

export const Tag = z
  .string()
  .regex(/^\w[\w.-]{0,127}$/, 'must be letters, digits, “.”, “_” and “-”, at most 128')
  .refine((tag) => !tag.startsWith('shipmate-'), 'begins with “shipmate-”, which is for Shipmate’s own tags')
  .meta({ examples: ['v2'] });

/** A branch, tag or commit. */
export const GitRef = z
  .string()
  .max(250)
  .regex(/^[A-Za-z0-9_][\w./-]*$/, 'must be a branch, tag or commit')
  .meta({ examples: ['main'] });

export const Fresh = Switch.default(false).describe('“yes” builds without what earlier builds left');

export const Args = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be letters, digits and “_”'), z.string().max(10_000))
  .default({})
  .describe('Build arguments; they can be read from the image, so secrets are none');

/** A path in a context. */
export const Dockerfile = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^-\s][^\n\0]*$/, 'must be a path in the context')
  .meta({ examples: ['Dockerfile'] });

export const buildFields = {
  target: Stage.optional().describe('The stage to build, where it is not the last'),
  platforms: z.array(Platform).max(10).default([]).describe('What it is built for, such as linux/amd64,linux/arm64'),
  fresh: Fresh,
};
