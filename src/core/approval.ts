import { type Actor, holdsRole, samePerson } from './actor.ts';
import type { Decision, Run } from './run.ts';
import type { Settings } from './settings.ts';

export type Ballot = { actor: Actor; kind: 'approve' | 'reject'; digest: string; at: number; reason?: string };

/** What one person's word does to a run that awaits approval. */
export type Outcome =
  | { kind: 'approved'; decision: Decision }
  | { kind: 'counted'; decision: Decision; missing: number }
  | { kind: 'rejected'; decision: Decision }
  | { kind: 'refused'; reason: 'own-request' | 'not-an-approver' | 'stale-plan' | 'expired' | 'already-voted' }
  | { kind: 'refused'; reason: 'already-decided'; by?: Decision };

const sameDigest = (run: Run, digest: string) =>
  run.plan !== undefined && digest.length >= 12 && run.plan.digest.startsWith(digest);

/**
 * Decides what a ballot does. Only a digest of at least 12 hex digits of the plan that stands now counts.
 * The requester may reject (take it back) but never approve, under whatever identity.
 */
export function cast(settings: Settings, run: Run, ballot: Ballot): Outcome {
  if (run.state !== 'awaiting' || run.verdict?.kind !== 'needs-approval') {
    const last = run.decisions.at(-1);
    return { kind: 'refused', reason: 'already-decided', ...(last ? { by: last } : {}) };
  }
  if (run.expiresAt !== undefined && ballot.at >= run.expiresAt) return { kind: 'refused', reason: 'expired' };
  if (!sameDigest(run, ballot.digest)) return { kind: 'refused', reason: 'stale-plan' };
  const own = samePerson(settings, run.actor, ballot.actor);
  if (own && ballot.kind === 'approve') return { kind: 'refused', reason: 'own-request' };
  if (!own && !holdsRole(settings, ballot.actor, run.verdict.approvers))
    return { kind: 'refused', reason: 'not-an-approver' };
  const decision: Decision = { ...ballot, digest: run.plan?.digest ?? ballot.digest };
  if (ballot.kind === 'reject') return { kind: 'rejected', decision };
  const yes = run.decisions.filter((made) => made.kind === 'approve' && made.digest === decision.digest);
  if (yes.some((made) => samePerson(settings, made.actor, ballot.actor)))
    return { kind: 'refused', reason: 'already-voted' };
  const missing = run.verdict.approvals - yes.length - 1;
  return missing > 0 ? { kind: 'counted', decision, missing } : { kind: 'approved', decision };
}
