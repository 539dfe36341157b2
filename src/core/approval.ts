import { z } from 'zod';
import { type Actor, differentPeople, holdsRole, personHolds, personOf, samePerson } from './actor.ts';
import type { Decision, Run } from './run.ts';
import type { Settings } from './settings.ts';

/** One person decides for another while that one is away. Both are names of `shipmate.yaml`. */
export const Delegation = z.object({ from: z.string(), to: z.string(), until: z.number() });
export type Delegation = z.output<typeof Delegation>;

export type Ballot = {
  actor: Actor;
  /** `withdraw` takes one's own approval back while the run still waits for others'. */
  kind: 'approve' | 'reject' | 'withdraw';
  digest: string;
  at: number;
  reason?: string;
};

/** What one person's word does to a run that awaits approval. */
export type Outcome =
  /** `counted`: the approvals that it rests on, this one among them. */
  | { kind: 'approved'; decision: Decision; counted: Decision[] }
  | { kind: 'counted'; decision: Decision; missing: number }
  | { kind: 'withdrawn'; decision: Decision }
  | { kind: 'rejected'; decision: Decision }
  | {
      kind: 'refused';
      reason: 'own-request' | 'not-an-approver' | 'stale-plan' | 'expired' | 'already-voted' | 'nothing-to-withdraw';
    }
  | { kind: 'refused'; reason: 'already-decided'; by?: Decision }
  /** This person may be the one who asked, or one who has approved, under another identity. */
  | { kind: 'refused'; reason: 'not-told-apart'; from: Actor };

const sameDigest = (run: Run, digest: string) =>
  run.plan !== undefined && digest.length >= 12 && run.plan.digest.startsWith(digest);

/** Whether a person of `shipmate.yaml` is surely not the one behind an actor: listed under another name, or on the same surface. */
function isOther(settings: Settings, person: string, actor: Actor): boolean {
  const known = personOf(settings, actor);
  if (known !== undefined) return known !== person;
  const { slack, subject } = settings.people[person] ?? {};
  return actor.kind === 'webhook' || (actor.kind === 'slack' ? slack : subject) !== undefined;
}

/** Whether an actor stands in now for somebody else than the requester who holds one of the roles. */
export function standsInFor(
  settings: Settings,
  run: Run,
  { actor, at }: Pick<Ballot, 'actor' | 'at'>,
  roles: readonly string[],
  delegations: readonly Delegation[],
): boolean {
  const person = personOf(settings, actor);
  return delegations.some(
    ({ from, to, until }) =>
      to === person && isOther(settings, from, run.actor) && at < until && personHolds(settings, from, roles),
  );
}

/** Whether an actor may approve by these roles: holding one, or standing in for somebody who does. */
function mayApprove(
  settings: Settings,
  run: Run,
  ballot: Pick<Ballot, 'actor' | 'at'>,
  roles: readonly string[],
  delegations: readonly Delegation[],
): boolean {
  return holdsRole(settings, ballot.actor, roles) || standsInFor(settings, run, ballot, roles, delegations);
}

/** The approvals of the plan that stand: not taken back, one a person. */
export function standing(settings: Settings, run: Run): Decision[] {
  return run.decisions.filter(
    ({ kind, digest, actor }, index) =>
      kind === 'approve' &&
      digest === run.plan?.digest &&
      !run.decisions
        .slice(index)
        .some((later) => later.kind === 'withdraw' && samePerson(settings, later.actor, actor)),
  );
}

/** Whose word counts for a run's plan: those who may approve it. */
const rolesOf = ({ verdict }: Run) =>
  verdict?.kind === 'needs-approval' ? [...verdict.approvers, ...verdict.required] : [];

type Now = { at: number; delegations: readonly Delegation[] };

/**
 * The approvals that count now, whatever counted when they were given: of people who may still approve it, or stand in for one
 * who may, and who are surely neither the requester nor each other.
 */
function counting(settings: Settings, run: Run, { at, delegations }: Now): Decision[] {
  const may = (actor: Actor) => mayApprove(settings, run, { actor, at }, rolesOf(run), delegations);
  return standing(settings, run)
    .filter(({ actor }) => differentPeople(settings, run.actor, actor) && may(actor))
    .filter(({ actor }, index, all) =>
      all.slice(0, index).every((earlier) => differentPeople(settings, earlier.actor, actor)),
    );
}

/** The approvals that a run rests on, as they count now; undefined where they suffice no longer. */
export function stillApproved(settings: Settings, run: Run, now: Now): Decision[] | undefined {
  const counted = counting(settings, run, now);
  const votes = counted.map((vote) => ({ ...vote, at: now.at }));
  return missingAfter(settings, run, votes, now.delegations) > 0 ? undefined : counted;
}

/** How many more people must approve: those the rule counts, and one of each role that it requires. */
function missingAfter(
  settings: Settings,
  run: Run,
  votes: readonly Pick<Ballot, 'actor' | 'at'>[],
  delegations: readonly Delegation[],
): number {
  if (run.verdict?.kind !== 'needs-approval') return 0;
  const { approvals, required, each = [] } = run.verdict;
  const by = (roles: readonly string[]) =>
    votes.filter((vote) => mayApprove(settings, run, vote, roles, delegations)).length;
  const apart = each.map((part) => part.approvals - by(part.approvers));
  const absent = required.filter((role) => !votes.some((vote) => mayApprove(settings, run, vote, [role], delegations)));
  return Math.max(approvals - votes.length, absent.length, ...apart);
}

/**
 * Decides what a ballot does. Only a digest of at least 12 hex digits of the plan that stands now counts.
 * The requester may reject (take it back) but never approve, under whatever identity, nor by standing in for another; and
 * whoever may be the requester for all that is known does not approve either.
 */
export function cast(settings: Settings, run: Run, ballot: Ballot, delegations: readonly Delegation[] = []): Outcome {
  if (run.state !== 'awaiting' || run.verdict?.kind !== 'needs-approval') {
    const last = run.decisions.at(-1);
    return { kind: 'refused', reason: 'already-decided', ...(last ? { by: last } : {}) };
  }
  if (run.expiresAt !== undefined && ballot.at >= run.expiresAt) return { kind: 'refused', reason: 'expired' };
  if (!sameDigest(run, ballot.digest)) return { kind: 'refused', reason: 'stale-plan' };
  const own = samePerson(settings, run.actor, ballot.actor);
  if (own && ballot.kind === 'approve') return { kind: 'refused', reason: 'own-request' };
  if (!own && !mayApprove(settings, run, ballot, rolesOf(run), delegations))
    return { kind: 'refused', reason: 'not-an-approver' };
  const decision: Decision = { ...ballot, digest: run.plan?.digest ?? ballot.digest };
  if (ballot.kind === 'reject') return { kind: 'rejected', decision };
  const voted = standing(settings, run).some((made) => samePerson(settings, made.actor, ballot.actor));
  if (ballot.kind === 'withdraw')
    return voted ? { kind: 'withdrawn', decision } : { kind: 'refused', reason: 'nothing-to-withdraw' };
  if (voted) {
    // Votes that did not suffice for a while may do so again: who says it once more need not take it back first.
    const counted = stillApproved(settings, run, { at: ballot.at, delegations });
    return counted ? { kind: 'approved', decision, counted } : { kind: 'refused', reason: 'already-voted' };
  }
  // Votes are judged again with each that comes: who may approve no longer counts no longer.
  const yes = counting(settings, run, { at: ballot.at, delegations });
  const alike = [run, ...yes].find(({ actor }) => !differentPeople(settings, actor, ballot.actor));
  if (alike) return { kind: 'refused', reason: 'not-told-apart', from: alike.actor };
  const counted = [...yes, decision];
  const votes = counted.map((vote) => ({ ...vote, at: ballot.at }));
  const missing = missingAfter(settings, run, votes, delegations);
  return missing > 0 ? { kind: 'counted', decision, missing } : { kind: 'approved', decision, counted };
}
