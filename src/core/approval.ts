import { z } from 'zod';
import { type Actor, holdsRole, personHolds, personOf, samePerson } from './actor.ts';
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
  | { kind: 'approved'; decision: Decision }
  | { kind: 'counted'; decision: Decision; missing: number }
  | { kind: 'withdrawn'; decision: Decision }
  | { kind: 'rejected'; decision: Decision }
  | {
      kind: 'refused';
      reason: 'own-request' | 'not-an-approver' | 'stale-plan' | 'expired' | 'already-voted' | 'nothing-to-withdraw';
    }
  | { kind: 'refused'; reason: 'already-decided'; by?: Decision };

const sameDigest = (run: Run, digest: string) =>
  run.plan !== undefined && digest.length >= 12 && run.plan.digest.startsWith(digest);

/** Whether an actor may approve by these roles: holding one, or standing in for somebody else than the requester who does. */
function mayApprove(
  settings: Settings,
  run: Run,
  ballot: Ballot,
  roles: readonly string[],
  delegations: readonly Delegation[],
): boolean {
  if (holdsRole(settings, ballot.actor, roles)) return true;
  const person = personOf(settings, ballot.actor);
  const requester = personOf(settings, run.actor);
  return delegations.some(
    ({ from, to, until }) =>
      to === person && from !== requester && ballot.at < until && personHolds(settings, from, roles),
  );
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

/** How many more people must approve: those the rule counts, and one of each role that it requires. */
function missingAfter(
  settings: Settings,
  run: Run,
  votes: readonly Ballot[],
  delegations: readonly Delegation[],
): number {
  if (run.verdict?.kind !== 'needs-approval') return 0;
  const { approvals, required } = run.verdict;
  const absent = required.filter((role) => !votes.some((vote) => mayApprove(settings, run, vote, [role], delegations)));
  return Math.max(approvals - votes.length, absent.length);
}

/**
 * Decides what a ballot does. Only a digest of at least 12 hex digits of the plan that stands now counts.
 * The requester may reject (take it back) but never approve, under whatever identity, nor by standing in for another.
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
  const { approvers, required } = run.verdict;
  if (!own && !mayApprove(settings, run, ballot, [...approvers, ...required], delegations))
    return { kind: 'refused', reason: 'not-an-approver' };
  const decision: Decision = { ...ballot, digest: run.plan?.digest ?? ballot.digest };
  if (ballot.kind === 'reject') return { kind: 'rejected', decision };
  const yes = standing(settings, run);
  const voted = yes.some((made) => samePerson(settings, made.actor, ballot.actor));
  if (ballot.kind === 'withdraw')
    return voted ? { kind: 'withdrawn', decision } : { kind: 'refused', reason: 'nothing-to-withdraw' };
  if (voted) return { kind: 'refused', reason: 'already-voted' };
  const missing = missingAfter(settings, run, [...yes, ballot], delegations);
  return missing > 0 ? { kind: 'counted', decision, missing } : { kind: 'approved', decision };
}
