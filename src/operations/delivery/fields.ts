import { z } from 'zod';
import { strategies } from '../../core/rollout.ts';
import { Quantity } from '../../core/values.ts';

/** Above this a request is more likely a slip of the finger than a wish. */
export const maxReplicas = 1_000;

export const Replicas = z
  .number('must be a whole number')
  .int('must be a whole number')
  .min(0, 'must not be negative')
  .max(maxReplicas, `must be at most ${maxReplicas}`)
  .describe('How many pods')
  .meta({ examples: [3] });

const amounts = z.strictObject({ cpu: Quantity.optional(), memory: Quantity.optional() });

export const Resources = z.strictObject({ requests: amounts.optional(), limits: amounts.optional() });
export type Resources = z.output<typeof Resources>;

export const Ports = z
  .array(z.number().int().min(1).max(65_535))
  .max(100)
  .refine((ports) => new Set(ports).size === ports.length, 'names a port twice: name each once');

export const Variables = z.record(
  z.string().regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/, 'is not a valid environment variable name'),
  z.string().max(32_768),
);

export const Strategy = z
  .enum(strategies)
  .describe('How the new version comes: rolling, canary or blue-green')
  .meta({ examples: ['canary'] });

/** A number of pods, or a share of them. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment */
export const Surge = z
  .union([
    z.number().int().min(0).max(1_000),
    z.string().regex(/^(\d{1,3}%|\d{1,4})$/, 'must be a number of pods or a percentage'),
  ])
  .transform((value) => (typeof value === 'string' && !value.endsWith('%') ? Number(value) : value));
