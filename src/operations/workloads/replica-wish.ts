import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { maxReplicas, Replicas } from '../delivery/fields.ts';

const message = `must be a whole number up to ${maxReplicas}, or +2, -1 or 50%`;
const relative = /^([-+]\d{1,4}|\d{1,4}(\.\d+)?%)$/;

/** A count as it should be, or how it should change: `5`, `+2`, `-1`, `50%`. */
export const ReplicaWish = z
  .union(
    [
      Replicas,
      z.string().transform((text, context) => {
        const plain = text
          .trim()
          .replace(/(?<!\s)\s+%$/, '%')
          .replace(/^\u2212/, '-');
        if (relative.test(plain)) return plain;
        const count = Replicas.safeParse(/^\d+$/.test(plain) ? Number(plain) : undefined);
        if (count.success) return count.data;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }),
    ],
    {
      error: ({ input }) =>
        typeof input === 'number' ? (Replicas.safeParse(input).error?.issues[0]?.message ?? message) : message,
    },
  )
  .describe('How many pods, or how many more or fewer: 5, +2, -1, 50%')
  .meta({ examples: [3] });
export type ReplicaWish = z.output<typeof ReplicaWish>;

function wished(now: number, wish: ReplicaWish): number {
  if (typeof wish === 'number') return wish;
  if (!wish.endsWith('%')) return now + Number(wish);
  // Half of 5 is 3: a share never rounds down to fewer than was asked for.
  return Math.ceil((now * Number(wish.slice(0, -1))) / 100);
}

/** The count that a wish comes to. @throws Fault BAD_INPUT where that is none */
export function replicasOf(now: number, wish: ReplicaWish): number {
  const count = wished(now, wish);
  if (count >= 0 && count <= maxReplicas) return count;
  const problem = `${wish} of ${now} replicas would be ${count}; it must be from 0 to ${maxReplicas}.`;
  throw fault('BAD_INPUT', { problem });
}
