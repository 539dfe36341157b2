import type { Actor } from '../core/actor.ts';
import { type Fault, fault } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Operation, Target } from '../core/operation.ts';
import { appOf, locate, type Place } from '../core/place.ts';
import { holders, judge, type Question, type Verdict } from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';

/** Why the policy says no, and who could. */
function denial(settings: Settings, question: Question, verdict: Extract<Verdict, { kind: 'deny' }>): Fault {
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

function placeOf(settings: Settings, { app, env }: Target): Place | undefined {
  if (app !== undefined && env !== undefined) return locate(settings, { app, env });
  if (app !== undefined) appOf(settings, app);
  return undefined;
}

/**
 * Resolves what a request is about and asks the policy: at the request, and again in the worker.
 * @throws Fault UNKNOWN_APP, UNKNOWN_ENVIRONMENT; POLICY_DENIED, with who could
 */
export function authorise(
  settings: Settings,
  actor: Actor,
  operation: Operation,
  input: JsonObject,
): { target: Target; place?: Place; verdict: Exclude<Verdict, { kind: 'deny' }> } {
  const target = operation.target(input);
  const place = placeOf(settings, target);
  const env = place?.env ?? target.env;
  const question = { actor, operation: operation.name, effect: operation.effect, app: target.app, env };
  const verdict = judge(settings, question);
  if (verdict.kind === 'deny') throw denial(settings, question, verdict);
  return { target, place, verdict };
}
