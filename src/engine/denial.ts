import { type Fault, fault } from '../core/errors.ts';
import { holders, type Question, type Verdict } from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';

/** Why the policy says no, and who could. */
export function denial(settings: Settings, question: Question, verdict: Extract<Verdict, { kind: 'deny' }>): Fault {
  const what = [question.operation, question.app, question.env && `in ${question.env}`].filter(Boolean).join(' ');
  switch (verdict.reason) {
    case 'no-rule':
      return fault('POLICY_DENIED', {
        reason: `No rule of the policy allows “${what}”.`,
        hint: 'Ask the platform team to add a rule under policy in shipmate.yaml.',
      });
    case 'not-permitted': {
      const rule = settings.policy.find((candidate) => candidate.name === verdict.rule);
      const able = holders(settings, rule?.who ?? []);
      return fault('POLICY_DENIED', {
        reason: `You may not “${what}”: the rule “${verdict.rule}” allows it to ${rule?.who.join(', ') ?? 'others'}.`,
        hint:
          able.length > 0
            ? `Ask one of: ${able.join(', ')}.`
            : 'Nobody holds that role yet; see roles in shipmate.yaml.',
      });
    }
    default:
      return verdict.reason satisfies never;
  }
}
