import { z } from 'zod';

const form = /^([-._a-zA-Z0-9]{1,253})=([\s\S]*)$/;

/** `KEY=VALUE`, as often as one likes. A key is what Kubernetes lets a ConfigMap have. */
export const Pairs = z
  .array(z.string().max(900_000).regex(form, 'must be KEY=VALUE, and the environment comes after “in”'))
  .min(1, 'needs at least one KEY=VALUE')
  .max(200)
  .describe('KEY=VALUE, one or more')
  .meta({ examples: [['LOG_LEVEL=debug']] });

/** The pairs by key; the last one of a key counts. */
export function pairsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key = '', value = ''] = form.exec(pair) ?? [];
      return [key, value];
    }),
  );
}
