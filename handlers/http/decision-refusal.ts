import { type Actor, actorId } from '../../src/core/actor.ts';
import type { Outcome } from '../../src/core/approval.ts';
import { type Fault, fault } from '../../src/core/errors.ts';
import { holders } from '../../src/core/policy.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';

function approversOf(settings: Settings, run: Run): string {
  const roles = run.verdict?.kind === 'needs-approval' ? run.verdict.approvers : [];
  return holders(settings, roles).join(', ') || `nobody yet: nobody holds ${roles.join(', ')}`;
}

/** Why a decision did not count: 403 where the person may not decide, 409 where there is nothing to decide any more. */
export function decisionRefusal(
  outcome: Extract<Outcome, { kind: 'refused' }>,
  by: Actor,
  run: Run,
  settings: Settings,
): Fault {
  const look = 'Nothing was changed. Look at the run as it is now.';
  switch (outcome.reason) {
    case 'own-request':
      return fault('POLICY_DENIED', {
        reason: 'You asked for this run yourself, so another person has to approve it.',
        hint: `These may approve: ${approversOf(settings, run)}.`,
      });
    case 'not-an-approver':
      return fault('POLICY_DENIED', {
        reason: 'You may not decide this run.',
        hint: `These may: ${approversOf(settings, run)}.`,
      });
    case 'not-told-apart':
      return fault('NOT_TOLD_APART', { other: actorId(outcome.from), you: actorId(by) });
    case 'stale-plan':
      return fault('DECISION_REFUSED', {
        reason: 'The digest is not that of the plan that awaits approval now.',
        hint: 'Read the run’s plan again and send its digest.',
      });
    case 'expired':
      return fault('DECISION_REFUSED', { reason: 'The time to approve this run is over.', hint: 'Ask for it anew.' });
    case 'already-voted':
      return fault('DECISION_REFUSED', {
        reason: 'You have approved this run already.',
        hint: 'It needs one more person.',
      });
    case 'nothing-to-withdraw':
      return fault('DECISION_REFUSED', { reason: 'You have not approved this run.', hint: look });
    case 'already-decided': {
      const word = outcome.by?.kind === 'approve' ? 'approved' : 'rejected';
      const state = isOver(run.state) ? 'is over' : 'awaits no decision';
      return fault('DECISION_REFUSED', {
        reason: outcome.by ? `The run is ${word} already.` : `The run ${state}: it is ${run.state}.`,
        hint: look,
      });
    }
    default:
      return outcome satisfies never;
  }
}
