import { type Actor, holdsRole } from '../core/actor.ts';
import { environmentEntry } from '../core/apps.ts';
import { type Fault, fault } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Operation, Target } from '../core/operation.ts';
import { appOf, locate, type Place, type Site, siteCalled } from '../core/place.ts';
import type { Draft } from '../core/plan.ts';
import {
  holders,
  isUncovered,
  judge,
  needsAnother,
  onlyUncovered,
  type Question,
  sizeOf,
  stricter,
  type Verdict,
} from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';

/** Why the policy says no, and who could. `besides` where it is not what was asked for, but what that would do. */
function denial(
  settings: Settings,
  question: Question,
  verdict: Extract<Verdict, { kind: 'deny' }>,
  besides = false,
): Fault {
  if (onlyUncovered(settings, question))
    return fault('UNCOVERED', { workload: question.app ?? '', env: question.env ?? '' });
  const asked = [question.operation, question.app, question.env && `in ${question.env}`].filter(Boolean).join(' ');
  const which = besides ? ', and this would do the same' : '';
  switch (verdict.reason) {
    case 'no-rule':
      return fault('POLICY_DENIED', {
        reason: `No rule of the policy allows “${asked}”${which}.`,
        hint: 'Ask the platform team to add a rule under policy in shipmate.yaml.',
      });
    case 'not-permitted': {
      const rule = settings.policy.find((candidate) => candidate.name === verdict.rule);
      const able = holders(settings, rule?.who ?? []);
      return fault('POLICY_DENIED', {
        reason: `You may not “${asked}”${which}: the rule “${verdict.rule}” allows it to ${rule?.who.join(', ') ?? 'others'}.`,
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
  if (app?.includes('/')) throw fault('BAD_INPUT', { problem: `In which environment is ${app}? Say it too.` });
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

/** Asks the policy once. @throws Fault POLICY_DENIED, UNCOVERED */
function permitted(settings: Settings, question: Question, besides = false): Permitted {
  const said = judge(settings, question);
  if (said.kind === 'deny') throw denial(settings, question, said, besides);
  return said;
}

/** The policy of what a plan changes besides: asked about each operation that is meant for such a change. */
function ofTouches(settings: Settings, actor: Actor, draft: Planned): Permitted[] {
  return (draft.touches ?? []).flatMap(({ app, env, operations, replicas, beyond }) => {
    const size = { fields: draft.changes.length, ...(replicas && { replicas }) };
    const questions = operations.map((operation): Question => ({ actor, operation, effect: 'change', app, env, size }));
    const allowed = questions.map((question) => permitted(settings, question, true));
    return beyond ? [...allowed, ...questions.map((question) => ofPods(settings, question, beyond))] : allowed;
  });
}

/** Pods beyond what their environment takes need a rule that is about such. @throws Fault POD_SECURITY */
function ofPods(settings: Settings, question: Question, problems: readonly string[]): Permitted {
  const said = judge(settings, { ...question, beyond: true });
  if (said.kind !== 'deny') return said;
  const { env = '' } = question;
  const level = environmentEntry(settings, env)?.its.podSecurity ?? 'baseline';
  const more = problems.length > 5 ? `, and ${problems.length - 5} more` : '';
  throw fault('POD_SECURITY', { env, level, problems: `${problems.slice(0, 5).join('; ')}${more}` });
}

const allOf = (all: readonly Permitted[]): Permitted | undefined =>
  all.reduce<Permitted | undefined>((sofar, said) => (sofar ? stricter(sofar, said) : said), undefined);

/** What of a plan the policy is asked about. */
type Planned = Pick<Draft, 'changes' | 'touches'>;

/**
 * Resolves what a request is about and asks the policy: at the request, and again in the worker, then with the plan and so
 * with the size of the change, and with all that it changes besides.
 * @throws Fault UNKNOWN_APP, UNKNOWN_ENVIRONMENT; UNCOVERED; POLICY_DENIED, with who could; BREAK_GLASS_DENIED; NEVER_UNAPPROVED
 */
export function authorise(
  settings: Settings,
  request: Request,
  operation: Operation,
  draft?: Planned,
): Where & { target: Target; verdict: Permitted } {
  const { actor, input } = request;
  const target = operation.target(input);
  const { place, site, places } = whereOf(settings, target);
  const { name, effect, judgedAs = name } = operation;
  const env = (place ?? site)?.env;
  const question = { actor, operation: judgedAs, effect, env, ...(draft && { size: sizeOf(draft) }) };
  const apps = places?.map(({ app }) => app) ?? [place?.app ?? target.app];
  const uncovered = place !== undefined && isUncovered(settings, operation, place);
  const routed = apps.map((app) => permitted(settings, { ...question, app, ...(uncovered && { uncovered }) }));
  const verdict = allOf([...routed, ...(draft ? ofTouches(settings, actor, draft) : [])]);
  if (!verdict || apps.length === 0) throw fault('BAD_INPUT', { problem: `${name}: no app was named.` });
  const found = overBrokenGlass(settings, request, verdict);
  for (const each of [env, ...(draft?.touches ?? []).map((touch) => touch.env)])
    if (each !== undefined && found.kind === 'allow' && needsAnother(settings, operation, each, found))
      throw fault('NEVER_UNAPPROVED', { operation: name, env: each, rule: found.rule });
  return { target, ...(place && { place }), ...(site && { site }), ...(places && { places }), verdict: found };
}
