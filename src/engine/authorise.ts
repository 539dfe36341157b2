import { type Actor, holdsRole } from '../core/actor.ts';
import { type Fault, fault } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Operation, Target } from '../core/operation.ts';
import { appOf, locate, type Place, type Site, siteCalled } from '../core/place.ts';
import type { Draft } from '../core/plan.ts';
import { holders, judge, needsAnother, type Question, sizeOf, strictest, type Verdict } from '../core/policy.ts';
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

/** Where a request leads: to an app's place, to those of several, to an environment, or nowhere in particular. */
type Where = { place?: Place; site?: Site; places?: Place[] };

function whereOf(settings: Settings, { app, env, apps }: Target): Where {
  if (apps && env !== undefined)
    return { site: siteCalled(settings, env), places: apps.map((each) => locate(settings, { app: each, env })) };
  if (app !== undefined && env !== undefined) return { place: locate(settings, { app, env }) };
  if (app !== undefined) appOf(settings, app);
  return env === undefined ? {} : { site: siteCalled(settings, env) };
}

type Request = { actor: Actor; input: JsonObject; breakGlass?: { reason: string } };

/**
 * Breaking the glass spares approvals; it never lets anybody do what no rule allows them. Whoever may not break it is refused
 * also where no approval is asked for: a broken glass may spare more than that, and it is loud.
 */
function overBrokenGlass(settings: Settings, { actor, breakGlass }: Request, verdict: Permitted): Permitted {
  if (!breakGlass) return verdict;
  if (!holdsRole(settings, actor, settings.breakGlass.who))
    throw fault('BREAK_GLASS_DENIED', { able: holders(settings, settings.breakGlass.who).join(', ') || 'nobody yet' });
  return verdict.kind === 'allow' ? verdict : { kind: 'allow', rule: 'break glass' };
}

type Permitted = Exclude<Verdict, { kind: 'deny' }>;

/**
 * Resolves what a request is about and asks the policy: at the request, and again in the worker, then with the plan and so
 * with the size of the change.
 * @throws Fault UNKNOWN_APP, UNKNOWN_ENVIRONMENT; POLICY_DENIED, with who could; BREAK_GLASS_DENIED; NEVER_UNAPPROVED
 */
export function authorise(
  settings: Settings,
  request: Request,
  operation: Operation,
  draft?: Pick<Draft, 'changes'>,
): Where & { target: Target; verdict: Permitted } {
  const { actor, input } = request;
  const target = operation.target(input);
  const { place, site, places } = whereOf(settings, target);
  const { name, effect, judgedAs = name } = operation;
  const env = (place ?? site)?.env;
  const question = { actor, operation: judgedAs, effect, env, ...(draft && { size: sizeOf(draft) }) };
  const apps = places?.map(({ app }) => app) ?? [place?.app ?? target.app];
  const verdict = apps
    .map((app) => {
      const said = judge(settings, { ...question, app });
      if (said.kind === 'deny') throw denial(settings, { ...question, app }, said);
      return said;
    })
    .reduce<Verdict | undefined>((sofar, said) => (sofar ? strictest(sofar, said) : said), undefined);
  if (!verdict || verdict.kind === 'deny') throw fault('BAD_INPUT', { problem: `${name}: no app was named.` });
  const permitted = overBrokenGlass(settings, request, verdict);
  if (env !== undefined && permitted.kind === 'allow' && needsAnother(settings, operation, env, permitted))
    throw fault('NEVER_UNAPPROVED', { operation: name, env, rule: permitted.rule });
  return { target, ...(place && { place }), ...(site && { site }), ...(places && { places }), verdict: permitted };
}
