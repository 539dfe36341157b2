import { shortImage } from '../../../src/core/image.ts';
import type { Report } from '../../../src/core/report.ts';
import type { Run, RunState } from '../../../src/core/run.ts';
import { troubleText } from './trouble-text.ts';

const states: Record<RunState, { emoji: string; word: string }> = {
  requested: { emoji: ':mag:', word: 'Planning' },
  awaiting: { emoji: ':raised_hand:', word: 'Waiting for approval' },
  running: { emoji: ':ship:', word: 'Under way' },
  finished: { emoji: ':white_check_mark:', word: 'Done' },
  failed: { emoji: ':x:', word: 'Failed' },
  'timed-out': { emoji: ':alarm_clock:', word: 'Timed out' },
  rejected: { emoji: ':no_entry_sign:', word: 'Rejected' },
  denied: { emoji: ':no_entry:', word: 'Not permitted' },
  expired: { emoji: ':hourglass:', word: 'Approval expired' },
};

const verbs: Record<string, string> = {
  deploy: 'Deploy',
  scale: 'Scale',
  rollback: 'Roll back',
  build: 'Build',
  status: 'Status of',
};

/** `Deploy web to production`. */
export function titleOf({ operation, place, input }: Run): string {
  const verb = verbs[operation] ?? operation;
  const app = place?.app ?? (typeof input.app === 'string' ? input.app : '');
  const preposition = operation === 'deploy' ? 'to' : 'in';
  return place ? `${verb} ${app} ${preposition} ${place.env}` : `${verb} ${app}`.trim();
}

export const stateOf = (state: RunState) => states[state];

/** How it ended, in one line for a tired person. */
export function endText(report: Report): string {
  switch (report.kind) {
    case 'unchanged':
      return 'It is like that already: nothing was changed.';
    case 'rolled-out':
      return `${report.ready} of ${report.replicas} pods ready after ${report.seconds} s.`;
    case 'rollout-failed':
      return `${report.ready} of ${report.replicas} pods ready: ${troubleText(report.trouble).what}.`;
    case 'rollout-timed-out':
      return `Not ready after ${Math.round(report.seconds)} s (${report.ready} of ${report.replicas} pods): ${troubleText(report.trouble).what}.`;
    case 'superseded':
      return `A later change took over${report.by === undefined ? '' : ` (run ${report.by})`}; this one was not followed to its end.`;
    case 'built':
      return `${shortImage(report.image)} built and pushed in ${report.seconds} s.`;
    case 'status':
      return `${report.apps.length} places`;
    default:
      return report satisfies never;
  }
}
