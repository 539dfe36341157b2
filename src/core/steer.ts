import { z } from 'zod';
import { Actor } from './actor.ts';

/**
 * What somebody says to a run that is under way and listens (a canary): go on, hold, or back out. Steers are kept beside
 * the run, numbered from 1, so that they never collide with the worker's writes, and none is lost or heard twice.
 */
export const SteerWish = z.discriminatedUnion('kind', [
  /** On with the next step at once; `full`: through all that are left. */
  z.object({ kind: z.literal('promote'), full: z.boolean() }),
  z.object({ kind: z.literal('pause') }),
  z.object({ kind: z.literal('resume') }),
  z.object({ kind: z.literal('abort'), reason: z.string().optional() }),
  z.object({ kind: z.literal('weight'), weight: z.number() }),
]);
export type SteerWish = z.output<typeof SteerWish>;

export const Steer = z.object({ n: z.number().int(), at: z.number(), actor: Actor, wish: SteerWish });
export type Steer = z.output<typeof Steer>;

/** A steer as the thread and the audit log have it. */
export function steerText(wish: SteerWish): string {
  switch (wish.kind) {
    case 'promote':
      return wish.full ? 'promote in full' : 'promote to the next step';
    case 'abort':
      return `abort${wish.reason === undefined ? '' : `: ${wish.reason}`}`;
    case 'weight':
      return `weight ${wish.weight} %`;
    case 'pause':
    case 'resume':
      return wish.kind;
    default:
      return wish satisfies never;
  }
}
