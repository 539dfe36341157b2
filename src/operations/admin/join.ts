import { z } from 'zod';
import { defineOperation } from '../../core/operation.ts';
import { AppRef, EnvRef } from '../../core/place.ts';

/** Whoever does not say that they are there by then is passed over. */
const claimMs = 10 * 60_000;
/** How long one may keep one's turn. */
const turnMs = 60 * 60_000;

/**
 * The deploy train: one takes a place in line before having anything to deploy. As long as the run has its turn, what its
 * requester asks for in the same place goes at once, and what others ask for waits.
 */
export const join = defineOperation({
  name: 'join',
  summary: 'Get in line for an app in an environment; you are called when it is your turn',
  effect: 'change',
  input: z.strictObject({ app: AppRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web production'],
  needs: [],
  steps: ['claim', 'turn'],
  shares: true,
  limits: { run: 24 * 3_600_000 },
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ place }) => ({ summary: `a turn with ${place.app} in ${place.env}`, changes: [], takesOver: [] }),
  run: async (run) => {
    const claimed = await run.waitFor('claim', { of: 'requester', choices: ['I’m on it', 'Pass'], ms: claimMs });
    if (claimed !== 'I’m on it') return { kind: 'turn', end: claimed === undefined ? 'unclaimed' : 'passed' };
    const done = await run.waitFor('turn', { of: 'requester', choices: ['Done'], ms: turnMs });
    return { kind: 'turn', end: done === undefined ? 'over' : 'done' };
  },
});
