import { z } from 'zod';
import { samePerson } from '../../core/actor.ts';
import { fault } from '../../core/errors.ts';
import { everything, holdsNow, type Lock, placeKey, scopeText } from '../../core/lock.ts';
import { momentText } from '../../core/moments.ts';
import { defineOperation, type PlanContext, type RunContext } from '../../core/operation.ts';
import { AppPattern, EnvPattern, type Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Duration } from '../../core/values.ts';

const Reason = z
  .string()
  .min(3, 'must say why, in at least 3 characters')
  .max(300, 'must be at most 300 characters')
  .describe('Why, for those who find it locked');

/** A lock that nobody remembers would stop deliveries for ever; so it ends by itself. */
const For = Duration.default(4 * 3_600_000).describe('How long, such as 90m or 2h');

type Locked = { scope: string; reason: string; ms: number };

async function lockOf({ on, now }: PlanContext<'locks'>, scope: string): Promise<Lock | undefined> {
  return (await on.locks.all()).find((known) => known.scope === scope && holdsNow(known, now()));
}

/** What a lock may be of. All of everything is the global stop, which is an operation, and a right, of its own. @throws Fault BAD_INPUT */
function lockable(place: Place): string {
  const scope = placeKey(place);
  if (scope !== everything) return scope;
  throw fault('BAD_INPUT', {
    problem: 'Everything everywhere is locked by /ship stop "REASON", and opened by /ship resume.',
  });
}

async function planLock(context: PlanContext<'locks'>, { scope, reason, ms }: Locked): Promise<Draft> {
  const known = await lockOf(context, scope);
  if (known && !samePerson(context.settings, known.owner, context.actor))
    throw fault('ALREADY_LOCKED', { scope: scopeText(scope), reason: known.reason, until: momentText(known.until) });
  const minutes = Math.round(ms / 60_000);
  return { summary: `locks ${scopeText(scope)} for ${minutes} min: “${reason}”`, changes: [], takesOver: [] };
}

async function runLock(run: RunContext<'locks', 'lock'>, { scope, reason, ms }: Locked) {
  const until = await run.step('lock', async ({ startedAt }) => {
    const lock = { scope, owner: run.actor, reason, at: startedAt, until: startedAt + ms };
    await run.on.locks.put(lock);
    return lock.until;
  });
  return { kind: 'locked' as const, scope, reason, until };
}

async function planUnlock(context: PlanContext<'locks'>, scope: string): Promise<Draft> {
  const lock = await lockOf(context, scope);
  if (!lock) throw fault('NOT_LOCKED', { scope: scopeText(scope) });
  return { summary: `unlocks ${scopeText(scope)} (“${lock.reason}”)`, changes: [], takesOver: [] };
}

async function runUnlock(run: RunContext<'locks', 'unlock'>, scope: string) {
  await run.step('unlock', () => run.on.locks.remove(scope));
  return { kind: 'unlocked' as const, scope };
}

export const lock = defineOperation({
  name: 'lock',
  summary: 'Keep others from changing an app in an environment for a while',
  effect: 'change',
  input: z.strictObject({ app: AppPattern, env: EnvPattern, reason: Reason, for: For }),
  usage: '<app> in <env> <reason> [for=<for>]',
  examples: [
    'web production "migrating the database"',
    'web in production "load test" for=90m',
    'shop-* in production "the warehouse moves"',
  ],
  needs: ['locks'],
  steps: ['lock'],
  aside: true,
  target: ({ app, env }) => ({ app, env }),
  plan: (context, input) => planLock(context, { scope: lockable(context.place), reason: input.reason, ms: input.for }),
  run: (run, input) => runLock(run, { scope: placeKey(run.place), reason: input.reason, ms: input.for }),
});

export const unlock = defineOperation({
  name: 'unlock',
  summary: 'Lift the lock of an app in an environment',
  effect: 'change',
  input: z.strictObject({ app: AppPattern, env: EnvPattern }),
  usage: '<app> in <env>',
  examples: ['web production'],
  needs: ['locks'],
  steps: ['unlock'],
  aside: true,
  target: ({ app, env }) => ({ app, env }),
  plan: (context) => planUnlock(context, lockable(context.place)),
  run: (run) => runUnlock(run, placeKey(run.place)),
});

export const stop = defineOperation({
  name: 'stop',
  summary: 'Stop all changes everywhere until further notice; what is under way goes on',
  effect: 'change',
  input: z.strictObject({ reason: Reason, for: For }),
  usage: '<reason> [for=<for>]',
  examples: ['"the network is down, nobody changes anything"'],
  needs: ['locks'],
  steps: ['lock'],
  aside: true,
  target: () => ({}),
  plan: (context, input) => planLock(context, { scope: everything, reason: input.reason, ms: input.for }),
  run: (run, input) => runLock(run, { scope: everything, reason: input.reason, ms: input.for }),
});

export const resume = defineOperation({
  name: 'resume',
  summary: 'Let changes go on after a stop',
  effect: 'change',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  needs: ['locks'],
  steps: ['unlock'],
  aside: true,
  target: () => ({}),
  plan: (context) => planUnlock(context, everything),
  run: (run) => runUnlock(run, everything),
});
