import { z } from 'zod';
import { Label } from '../../core/name-pattern.ts';
import { EnvRef } from '../../core/place.ts';
import { RouteName } from './settings.ts';

/** What the commands about a Service's traffic have in common. */
export const serviceFields = {
  service: Label.describe('The Service').meta({ examples: ['web'] }),
  env: EnvRef,
  route: RouteName.optional(),
};

/** A value, or `off`, which takes it away. Forms and people write numbers as words. */
export const orOff = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((word) => {
    if (typeof word !== 'string') return word;
    if (/^(off|none)$/i.test(word)) return null;
    return /^\d+$/.test(word) ? Number(word) : word;
  }, schema.nullable());

/** The same of durations, which always bear their unit. */
export const timeOrOff = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((word) => (typeof word === 'string' && /^(off|none)$/i.test(word) ? null : word), schema.nullable());
