import type { Outcome } from '../../src/core/approval.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import { moment } from './blocks/elements.ts';
import { nameOf, whoCould } from './blocks/people.ts';
import { stateOf } from './blocks/run-words.ts';

/** Why a click did not count, to the person who clicked. */
export function refusalText(outcome: Extract<Outcome, { kind: 'refused' }>, run: Run, settings: Settings): string {
  const approvers = run.verdict?.kind === 'needs-approval' ? run.verdict.approvers : [];
  switch (outcome.reason) {
    case 'own-request':
      return `You asked for this yourself, so ${whoCould(settings, approvers, run.actor)} has to approve it.`;
    case 'not-an-approver':
      return `You may not decide this; ${whoCould(settings, approvers, run.actor)} can.`;
    case 'not-told-apart':
      return `It takes somebody other than ${nameOf(outcome.from, settings)}, and you may be the same person: Shipmate cannot tell. List both under \`people\` in shipmate.yaml, one person with all their identities: \`NAME: { slack: U…, subject: … }\`.`;
    case 'stale-plan':
      return 'The plan has changed since that button was drawn. Look at the message as it is now, then decide.';
    case 'expired':
      return 'The time to approve this is over. Ask for it anew.';
    case 'already-voted':
      return 'You have approved this already; it needs one more person.';
    case 'nothing-to-withdraw':
      return 'You have not approved this, so there is nothing to take back.';
    case 'already-decided': {
      const { by } = outcome;
      if (by)
        return `Already ${by.kind === 'approve' ? 'approved' : 'rejected'} by ${nameOf(by.actor, settings)} ${moment(by.at)}.`;
      const { word } = stateOf(run);
      return isOver(run.state)
        ? `This is over: ${word.toLowerCase()}.`
        : `There is nothing to decide now: ${word.toLowerCase()}.`;
    }
    default:
      return outcome satisfies never;
  }
}
