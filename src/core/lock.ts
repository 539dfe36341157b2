import { z } from 'zod';
import { Actor } from './actor.ts';
import { covers, guards, isPattern } from './name-pattern.ts';

/** A place, or more than one, that only its owner changes until then: a lock, or (of everything) the global stop. */
export const Lock = z.object({
  /** `app@env`; either may be a pattern, and `*` stands for all. */
  scope: z.string(),
  owner: Actor,
  reason: z.string(),
  at: z.number(),
  /** ms since the epoch; without it, until somebody lifts it. */
  until: z.number().optional(),
});
export type Lock = z.output<typeof Lock>;

/** `app@env`: what turns, locks and histories go by. */
export const placeKey = ({ app, env }: { app?: string; env?: string }): string => `${app ?? '*'}@${env ?? '*'}`;

/** The scope of the global stop. */
export const everything = placeKey({});

/** A scope in words: `web in production`, `everything in staging`. */
export function scopeText(scope: string): string {
  const [app = '*', env = '*'] = scope.split('@');
  if (app === '*' && env === '*') return 'everything';
  if (env === '*') return `${app} everywhere`;
  return `${app === '*' ? 'everything' : app} in ${env}`;
}

/** Whether it has not ended by itself. */
export const holdsNow = ({ until }: Lock, now: number): boolean => until === undefined || now < until;

/** The locks that lie on a place now, the widest first. */
export function locksOn(locks: readonly Lock[], place: { app?: string; env: string }, now: number): Lock[] {
  const width = ({ scope }: Lock) =>
    scope.split('@').map((part): number => (part === '*' ? 0 : isPattern(part) ? 1 : 2));
  const lies = ({ scope }: Lock) => {
    const [app = '*', env = '*'] = scope.split('@');
    return guards([app], place.app) && covers([env], place.env);
  };
  const wide = (lock: Lock) => width(lock).reduce((sum, part) => sum + part, 0);
  return locks.filter((lock) => lies(lock) && holdsNow(lock, now)).toSorted((a, b) => wide(a) - wide(b));
}
