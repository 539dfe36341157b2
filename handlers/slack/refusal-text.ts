import type { Outcome } from '../../src/core/approval.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import { harmless, type Mrkdwn, moment, mrkdwn } from './blocks/elements.ts';
import { nameOf, whoCould } from './blocks/people.ts';
import { stateOf } from './blocks/run-words.ts';

/** Why a click did not count, to the person who clicked. */
export function refusalText(outcome: Extract<Outcome, { kind: 'refused' }>, run: Run, settings: Settings): Mrkdwn {
  const approvers = run.verdict?.kind === 'needs-approval' ? run.verdict.approvers : [];
  switch (outcome.reason) {
    case 'own-request':
      return mrkdwn`You asked for this yourself, so ${whoCould(settings, approvers, run.actor)} has to approve it.`;
    case 'not-an-approver':
      return mrkdwn`You may not decide this; ${whoCould(settings, approvers, run.actor)} can.`;
    case 'not-told-apart':
      return mrkdwn`It takes somebody other than ${nameOf(outcome.from, settings)}, and you may be the same person: Shipmate cannot tell. List both under \`people\` in shipmate.yaml, one person with all their identities: \`NAME: { slack: U…, subject: … }\`.`;
    case 'stale-plan':
      return mrkdwn`The plan has changed since that button was drawn. Look at the message as it is now, then decide.`;
    case 'expired':
      return mrkdwn`The time to approve this is over. Ask for it anew.`;
    case 'already-voted':
      return mrkdwn`You have approved this already; it needs one more person.`;
    case 'nothing-to-withdraw':
      return mrkdwn`You have not approved this, so there is nothing to take back.`;
    case 'already-decided': {
      const { by } = outcome;
      if (by)
        return mrkdwn`Already ${harmless(by.kind === 'approve' ? 'approved' : 'rejected')} by ${nameOf(by.actor, settings)} ${moment(by.at)}.`;
      const word = harmless(stateOf(run).word.toLowerCase());
      return isOver(run.state) ? mrkdwn`This is over: ${word}.` : mrkdwn`There is nothing to decide now: ${word}.`;
    }
    default:
      return outcome satisfies never;
  }
}
