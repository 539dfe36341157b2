import { z } from 'zod';
import { type Actor, holdsRole } from './actor.ts';
import type { Rule, Settings } from './settings.ts';

/** What the policy says of a request, with the rule that said it. */
export const Verdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('allow'), rule: z.string() }),
  z.object({
    kind: z.literal('needs-approval'),
    rule: z.string(),
    approvals: z.number(),
    approvers: z.array(z.string()),
    expireMinutes: z.number(),
  }),
  z.object({ kind: z.literal('deny'), reason: z.enum(['no-rule', 'not-permitted']), rule: z.string().optional() }),
]);
export type Verdict = z.output<typeof Verdict>;

/** What is asked of the policy. `env` is undefined for what concerns no environment, such as a build. */
export type Question = { actor: Actor; operation: string; effect: 'read' | 'change'; app?: string; env?: string };

const covers = (list: readonly string[], name: string | undefined) =>
  list.includes('*') || (name !== undefined && list.includes(name));

function fits(rule: Rule, { operation, app, env }: Question): boolean {
  return covers(rule.operations, operation) && covers(rule.apps, app) && covers(rule.environments, env);
}

/** Decides by the first rule that fits the request and the person. Reading needs a rule too, but never an approval. */
export function judge(settings: Settings, question: Question): Verdict {
  const fitting = settings.policy.filter((rule) => fits(rule, question));
  const rule = fitting.find((candidate) => holdsRole(settings, question.actor, candidate.who));
  if (!rule) {
    const [first] = fitting;
    return first ? { kind: 'deny', reason: 'not-permitted', rule: first.name } : { kind: 'deny', reason: 'no-rule' };
  }
  if (rule.approvals === 0 || question.effect === 'read') return { kind: 'allow', rule: rule.name };
  const { approvals, approvers, expireMinutes } = rule;
  return { kind: 'needs-approval', rule: rule.name, approvals, approvers, expireMinutes };
}

/** The people of `shipmate.yaml` who hold one of the roles, for "who could". */
export function holders(settings: Settings, roles: readonly string[]): string[] {
  const all = roles.includes('everyone')
    ? Object.keys(settings.people)
    : roles.flatMap((role) => settings.roles[role] ?? []);
  return [...new Set(all)];
}
