import { z } from 'zod';
import type { Actor } from '../../core/actor.ts';
import { appEntry, environmentEntry } from '../../core/apps.ts';
import { fault } from '../../core/errors.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, operationOf } from '../../core/operation.ts';
import { EnvRef, locate, WorkloadRef } from '../../core/place.ts';
import { isUncovered, judge, needsAnother, onlyUncovered, ruleText } from '../../core/policy.ts';
import type { Settings } from '../../core/settings.ts';

/** Who is meant: a Slack mention or id, a person of `shipmate.yaml`, or a token's subject. */
export function actorNamed(settings: Settings, name: string): Actor {
  const user = /^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>$|^([UW][A-Z0-9]{5,})$/.exec(name);
  const id = user?.[1] ?? user?.[2];
  if (id !== undefined) return { kind: 'slack', team: '', user: id };
  const bare = name.replace(/^@/, '');
  const person = Object.hasOwn(settings.people, bare) ? settings.people[bare] : undefined;
  if (person?.slack !== undefined) return { kind: 'slack', team: '', user: person.slack };
  if (person?.subject !== undefined) return { kind: 'token', subject: person.subject };
  if (bare.includes('@')) return { kind: 'token', subject: bare };
  throw fault('UNKNOWN_PERSON', { name, near: didYouMean(bare, Object.keys(settings.people)) });
}

/** By which pattern of shipmate.yaml a name is known at all. */
function coveredText(settings: Settings, what: 'app' | 'environment', name: string | undefined): string {
  if (name === undefined) return '';
  const entry = what === 'app' ? appEntry(settings, name) : environmentEntry(settings, name);
  return !entry || entry.key === name ? '' : `; ${name} is an ${what} by the pattern “${entry.key}”`;
}

export const can = defineOperation({
  name: 'can',
  summary: 'Say whether somebody may do something, and by which rule',
  effect: 'read',
  input: z.strictObject({
    who: z.string().min(1).max(200).describe('A person: @NAME, or a name of shipmate.yaml'),
    operation: z.string().min(1).max(50).describe('What they would do: deploy, scale, …'),
    app: WorkloadRef.optional(),
    env: EnvRef.optional(),
  }),
  usage: '<who> <operation> [<app>] [to <env>]',
  examples: ['ana deploy web to production', '@ana scale web in production', 'ana restart sts/db in staging'],
  needs: [],
  steps: [],
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ settings, catalogue }, { who, operation }) => {
    actorNamed(settings, who);
    operationOf(catalogue, operation);
    return { summary: 'asks the policy', changes: [], takesOver: [] };
  },
  run: async ({ settings, catalogue }, { who, operation, app, env }) => {
    const actor = actorNamed(settings, who);
    const asked = operationOf(catalogue, operation);
    const { effect, judgedAs = operation } = asked;
    const place = app !== undefined && env !== undefined ? locate(settings, { app, env }) : undefined;
    const [of, known] = place ? [place.app, place.env] : [app, env];
    const uncovered = place !== undefined && isUncovered(settings, asked, place);
    const question = { actor, operation: judgedAs, effect, app: of, env: known, ...(uncovered && { uncovered }) };
    const verdict = judge(settings, question);
    const what = [operation, of, known && `in ${known}`].filter(Boolean).join(' ');
    const alone = needsAnother(settings, asked, known, verdict)
      ? ', but nobody does that there without an approval'
      : '';
    const by = [coveredText(settings, 'app', of), coveredText(settings, 'environment', known)].join('');
    const terms =
      verdict.kind === 'deny' && onlyUncovered(settings, question)
        ? 'not allowed: nothing in shipmate.yaml covers it, and so it is only looked at'
        : ruleText(settings, verdict);
    return { kind: 'verdict', who, what, verdict, terms: `${terms}${alone}${by}` };
  },
});
