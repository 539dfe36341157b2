import { type Actor, holdsRole, samePerson } from './actor.ts';
import { type Delegation, standsInFor } from './approval.ts';
import type { AuditEntry } from './audit.ts';
import { isPersonal } from './identity.ts';
import type { Catalogue } from './operation.ts';
import { siteOf } from './place.ts';
import { judge, namedFor } from './policy.ts';
import type { Run } from './run.ts';
import type { Settings } from './settings.ts';

/** What the question who may read something is decided by. */
export type ReadingTerms = { settings: Settings; catalogue: Catalogue };

type About = Pick<AuditEntry, 'operation' | 'effect' | 'app' | 'env'>;

const asked = ({ catalogue }: ReadingTerms, { operation, effect, app, env }: About, actor: Actor) => {
  const known = catalogue.get(operation);
  return { actor, operation: known?.judgedAs ?? operation, effect: effect ?? known?.effect ?? 'change', app, env };
};

/** All that a run is about, as the policy is asked about it. */
function aboutsOf({ operation, effect = 'change', place, site, places = [], input }: Run): About[] {
  const app = place?.app ?? (typeof input.app === 'string' ? input.app : undefined);
  const where = places.length > 0 ? places : [{ app, env: siteOf({ place, site })?.env }];
  return where.map((each) => ({ operation, effect, app: each.app, env: each.env }));
}

/** A Docker host is looked into by those alone whom the settings name for it, whatever the policy says. */
function reachesHost({ settings, catalogue }: ReadingTerms, { operation, input }: Run, actor: Actor): boolean {
  if (!catalogue.get(operation)?.needs.includes('dockerHost')) return true;
  const hosts = Object.entries(settings.dockerHosts).filter(([name]) => (input.host ?? name) === name);
  return hosts.every(([, { who }]) => holdsRole(settings, actor, who));
}

/** Whether the policy lets somebody ask for the same as a run. */
export function mayAsk(terms: ReadingTerms, run: Run, actor: Actor): boolean {
  const allowed = aboutsOf(run).every((about) => judge(terms.settings, asked(terms, about, actor)).kind !== 'deny');
  return allowed && reachesHost(terms, run, actor);
}

/** Whether a rule lets somebody read the audit log, and so the runs, of all that an entry or a run is about. */
const mayAudit = (terms: ReadingTerms, abouts: readonly About[], actor: Actor) =>
  abouts.every(({ app, env }) => namedFor(terms.settings, { actor, operation: 'audit', effect: 'read', app, env }));

/** Whether somebody decides about a run, now or should it be asked again; or reviews it. */
function mayDecide(settings: Settings, run: Run, actor: Actor, delegations: readonly Delegation[], now: number) {
  const { verdict, breakGlass } = run;
  if (breakGlass && !breakGlass.reviewed && holdsRole(settings, actor, settings.breakGlass.reviewers)) return true;
  if (verdict?.kind !== 'needs-approval') return false;
  const roles = [...verdict.approvers, ...verdict.required];
  return holdsRole(settings, actor, roles) || standsInFor(settings, run, { actor, at: now }, roles, delegations);
}

/**
 * Whether somebody may read a run, whole: who asked for it, who decides about it, whom the policy lets ask for the same, and
 * whom a rule names for `audit` there. What was read in the cluster in its asker's name is for the asker, since another one's
 * rights there may be fewer.
 */
export function mayRead(
  terms: ReadingTerms,
  run: Run,
  actor: Actor,
  { delegations = [], now = 0 }: { delegations?: readonly Delegation[]; now?: number } = {},
): boolean {
  const { settings } = terms;
  if (samePerson(settings, run.actor, actor)) return true;
  const site = siteOf(run);
  if (run.effect === 'read' && site && isPersonal(settings, site.cluster, site.env)) return false;
  return (
    mayDecide(settings, run, actor, delegations, now) ||
    mayAsk(terms, run, actor) ||
    mayAudit(terms, aboutsOf(run), actor)
  );
}

/** Whether somebody may read an entry of the audit log: their own, those about what they may ask for or decide, and where a rule names them for `audit`. */
export function mayReadEntry(terms: ReadingTerms, entry: AuditEntry, actor: Actor): boolean {
  const { settings } = terms;
  const rules = entry.rule?.split(' and ') ?? [];
  const deciders = settings.policy.flatMap(({ name, approvals, approvers, required }) =>
    rules.includes(name) ? [...(approvals > 0 ? approvers : []), ...required] : [],
  );
  return (
    samePerson(settings, entry.actor, actor) ||
    holdsRole(settings, actor, deciders) ||
    judge(settings, asked(terms, entry, actor)).kind !== 'deny' ||
    mayAudit(terms, [entry], actor)
  );
}
