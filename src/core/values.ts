import { z } from 'zod';
export const Duration = z.preprocess(
  (value) => (typeof value === 'number' ? `${value}ms` : value),
  z.string().transform((text) => Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : 60_000)),
);
