import { z } from 'zod';
import { personOf } from '../../core/actor.ts';
import { fault } from '../../core/errors.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import type { Settings } from '../../core/settings.ts';
import { Duration } from '../../core/values.ts';

function personNamed(settings: Settings, name: string): string {
  const mention = /^<@([A-Z0-9]+)/.exec(name)?.[1];
  const bare = name.replace(/^@/, '');
  const found = Object.entries(settings.people).find(([person, { slack }]) =>
    mention === undefined ? person === bare : slack === mention,
  );
  if (found) return found[0];
  throw fault('UNKNOWN_PERSON', { name, near: didYouMean(bare, Object.keys(settings.people)) });
}

function self({ settings, actor }: Pick<PlanContext<never>, 'settings' | 'actor'>): string {
  const person = personOf(settings, actor);
  if (person !== undefined) return person;
  throw fault('UNKNOWN_PERSON', { name: 'you', near: '' });
}

export const away = defineOperation({
  name: 'away',
  summary: 'Let somebody else approve in your place while you are away',
  effect: 'change',
  input: z.strictObject({
    to: z.string().min(1).max(200).describe('Who decides for you'),
    for: Duration.default(24 * 3_600_000).describe('How long, such as 8h or 14d'),
  }),
  usage: 'to <to> [for=<for>]',
  examples: ['to ben for=14d'],
  needs: ['delegations'],
  steps: ['note'],
  aside: true,
  target: () => ({}),
  plan: async (context, input) => {
    const [from, to] = [self(context), personNamed(context.settings, input.to)];
    if (from === to) throw fault('BAD_INPUT', { problem: 'away: name somebody other than yourself.' });
    return { summary: `${to} decides for ${from}`, changes: [], takesOver: [] };
  },
  run: async (run, input) => {
    const [from, to] = [self(run), personNamed(run.settings, input.to)];
    const until = await run.step('note', async ({ startedAt }) => {
      await run.on.delegations.put({ from, to, until: startedAt + input.for });
      return startedAt + input.for;
    });
    return { kind: 'away', from, to, until };
  },
});

export const back = defineOperation({
  name: 'back',
  summary: 'Decide for yourself again',
  effect: 'change',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  needs: ['delegations'],
  steps: ['note'],
  aside: true,
  target: () => ({}),
  plan: async (context) => ({ summary: `${self(context)} is back`, changes: [], takesOver: [] }),
  run: async (run) => {
    const from = self(run);
    await run.step('note', () => run.on.delegations.remove(from));
    return { kind: 'back', from };
  },
});
