import { z } from 'zod';
import { type Actor, holdsRole } from './actor.ts';
import { isAppKind } from './app-settings.ts';
import { stableBeside } from './apps.ts';
import { covers } from './name-pattern.ts';
import { appsOfWorkload, isProduction, type Place } from './place.ts';
import type { Draft } from './plan.ts';
import type { Rule, Settings } from './settings.ts';

/** What the policy says of a request, with the rule that said it. */
export const Verdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('allow'), rule: z.string() }),
  z.object({
    kind: z.literal('needs-approval'),
    rule: z.string(),
    approvals: z.number(),
    approvers: z.array(z.string()),
    required: z.array(z.string()).default([]),
    /** Where several rules hold and nobody may approve for all of them: so many by those roles, each. */
    each: z.array(z.object({ approvals: z.number(), approvers: z.array(z.string()) })).optional(),
    expireMinutes: z.number(),
    remindMinutes: z.number().default(0),
    escalate: z.object({ afterMinutes: z.number(), to: z.array(z.string()) }).optional(),
  }),
  z.object({ kind: z.literal('deny'), reason: z.enum(['no-rule', 'not-permitted']), rule: z.string().optional() }),
]);
export type Verdict = z.output<typeof Verdict>;

/** What is asked of the policy. `env` is undefined for what concerns no environment, such as a build. */
export type Question = {
  actor: Actor;
  operation: string;
  effect: 'read' | 'change';
  app?: string;
  env?: string;
  /** Known once there is a plan; before, a rule for changes of some size counts as fitting. */
  size?: Size;
  /** Whether pods would go beyond their environment's Pod Security level: other rules are about that. */
  beyond?: true;
  /** Whether it would change a workload that nothing under `apps` covers: other rules are about that. */
  uncovered?: true;
};

/** How large a change is, as its plan says. */
export type Size = { fields: number; replicas?: { from: number; to: number } };

/** The size of a planned change. */
export function sizeOf({ changes }: Pick<Draft, 'changes'>): Size {
  const replicas = changes.find(({ path }) => path === 'spec.replicas');
  const [from, to] = [replicas?.from ?? 0, replicas?.to ?? 0];
  const counted = replicas && typeof from === 'number' && typeof to === 'number';
  return { fields: changes.length, ...(counted && { replicas: { from, to } }) };
}

function fitsSize(rule: Rule, size: Size | undefined): boolean {
  if (!rule.size || !size) return true;
  const { replicasBy, toZero, fields } = rule.size;
  const { from, to } = size.replicas ?? { from: 1, to: 1 };
  if (replicasBy !== undefined && (Math.abs(to - from) > replicasBy || (to === 0 && from > 0))) return false;
  if (toZero && !(to === 0 && from > 0)) return false;
  return fields === undefined || size.fields <= fields;
}

function fits(rule: Rule, { operation, effect, app, env, size, beyond, uncovered }: Question): boolean {
  if (rule.beyondPodSecurity !== beyond || rule.uncovered !== uncovered) return false;
  const here = covers(rule.operations, operation) && covers(rule.apps, app) && covers(rule.environments, env);
  return here && rule.effects.includes(effect) && fitsSize(rule, size);
}

/** Decides by the first rule that fits the request and the person. Reading needs a rule too, but never an approval. */
export function judge(settings: Settings, question: Question): Verdict {
  const fitting = settings.policy.filter((rule) => fits(rule, question));
  const rule = fitting.find((candidate) => holdsRole(settings, question.actor, candidate.who));
  if (!rule) {
    const [first] = fitting;
    return first ? { kind: 'deny', reason: 'not-permitted', rule: first.name } : { kind: 'deny', reason: 'no-rule' };
  }
  if ((rule.approvals === 0 && rule.required.length === 0) || question.effect === 'read')
    return { kind: 'allow', rule: rule.name };
  const { name, approvals, approvers, required, expireMinutes, remindMinutes, escalate } = rule;
  const terms = { rule: name, approvals, approvers, required, expireMinutes, remindMinutes };
  return { kind: 'needs-approval', ...terms, ...(escalate && { escalate }) };
}

/** Whether a change is of a workload that no entry and no pattern covers; what stands beside an app for a while is the app's. */
export function isUncovered(
  settings: Settings,
  { effect, aside }: { effect: 'read' | 'change'; aside?: true | undefined },
  { app, kind, workload }: Pick<Place, 'app' | 'kind' | 'workload'>,
): boolean {
  if (effect === 'read' || aside || !app.includes('/') || !isAppKind(kind)) return false;
  const stable = stableBeside(workload);
  return stable === undefined || appsOfWorkload(settings, kind, stable).length === 0;
}

/** Whether what is denied would not be, if anything covered the workload. */
export const onlyUncovered = (settings: Settings, { uncovered, ...covered }: Question): boolean =>
  uncovered === true && judge(settings, covered).kind !== 'deny';

/**
 * Whether a rule names the operation, by its own name and not by `*`, and lets the person ask for it: for what is not to
 * come along with "everybody may look at everything".
 */
export function namedFor(settings: Settings, question: Question): boolean {
  return settings.policy.some(
    (rule) =>
      rule.operations.includes(question.operation) &&
      fits(rule, question) &&
      holdsRole(settings, question.actor, rule.who),
  );
}

type NeedsApproval = Extract<Verdict, { kind: 'needs-approval' }>;

/** How many of which roles a verdict asks for: each part of it. */
const partsOf = ({ each, approvals, approvers }: NeedsApproval) => each ?? [{ approvals, approvers }];

/** Whoever may approve both; where nobody may, as many of each as it asks for must. */
function both(one: NeedsApproval, other: NeedsApproval): NeedsApproval {
  const shared = one.approvers.filter((role) => other.approvers.includes(role));
  const common = one.each || other.each ? [] : shared;
  const parts = [...partsOf(one), ...partsOf(other)];
  const each = [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
  const remind = [one.remindMinutes, other.remindMinutes].filter((minutes) => minutes > 0);
  const escalate = one.escalate ?? other.escalate;
  return {
    kind: 'needs-approval',
    rule: [...new Set([...one.rule.split(' and '), ...other.rule.split(' and ')])].join(' and '),
    approvals: Math.max(one.approvals, other.approvals),
    approvers: common.length > 0 ? common : [...new Set([...one.approvers, ...other.approvers])],
    required: [...new Set([...one.required, ...other.required])],
    ...(common.length === 0 && { each }),
    expireMinutes: Math.min(one.expireMinutes, other.expireMinutes),
    remindMinutes: remind.length > 0 ? Math.min(...remind) : 0,
    ...(escalate && { escalate }),
  };
}

/** What holds for several things done at once: an approval beats a yes, and of approvals all that is asked. */
export function stricter<Said extends Exclude<Verdict, { kind: 'deny' }>>(one: Said, other: Said) {
  if (other.kind === 'allow') return one;
  return one.kind === 'allow' ? other : both(one, other);
}

/**
 * Whether what a verdict lets somebody do alone is never done alone: what its operation marks so, in production, whatever the
 * policy or a broken glass says.
 */
export function needsAnother(
  settings: Settings,
  { neverUnapproved }: { neverUnapproved?: true | undefined },
  env: string | undefined,
  verdict: Verdict,
): boolean {
  return neverUnapproved === true && env !== undefined && verdict.kind === 'allow' && isProduction(settings, env);
}

/** The people of `shipmate.yaml` who hold one of the roles, for "who could". */
export function holders(settings: Settings, roles: readonly string[]): string[] {
  const all = roles.includes('everyone')
    ? Object.keys(settings.people)
    : roles.flatMap((role) => settings.roles[role] ?? []);
  return [...new Set(all)];
}

/** A verdict in words, with the rule that made it. */
export function ruleText(settings: Settings, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'allow':
      return `allowed by the rule “${verdict.rule}”`;
    case 'needs-approval': {
      const { rule, approvals, approvers, required, each: parts = [] } = verdict;
      if (parts.length > 0) {
        const counts = parts.map((part) => `${part.approvals} by ${part.approvers.join(' or ')}`);
        const also = required.length > 0 ? `, among them ${required.join(' and ')}` : '';
        return `needs approvals: ${counts.join(', and ')}${also}, say the rules “${rule}”`;
      }
      const each = required.length > 0 ? `, among them ${required.join(' and ')}` : '';
      return `needs ${Math.max(approvals, required.length)} approval(s) by ${approvers.join(' or ')}${each}, says the rule “${rule}”`;
    }
    case 'deny': {
      const who = settings.policy.find(({ name }) => name === verdict.rule)?.who ?? [];
      return verdict.reason === 'no-rule'
        ? 'not allowed: no rule covers it'
        : `not allowed: the rule “${verdict.rule}” allows it only to ${who.join(', ')}`;
    }
    default:
      return verdict satisfies never;
  }
}
