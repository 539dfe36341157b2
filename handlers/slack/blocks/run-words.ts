import type { Run, RunState } from '../../../src/core/run.ts';

const states: Record<RunState, { emoji: string; word: string }> = {
  requested: { emoji: ':mag:', word: 'Planning' },
  awaiting: { emoji: ':raised_hand:', word: 'Waiting for approval' },
  queued: { emoji: ':vertical_traffic_light:', word: 'Waiting for its turn' },
  running: { emoji: ':ship:', word: 'Under way' },
  'set-aside': { emoji: ':construction:', word: 'Set aside' },
  finished: { emoji: ':white_check_mark:', word: 'Done' },
  failed: { emoji: ':x:', word: 'Failed' },
  'timed-out': { emoji: ':alarm_clock:', word: 'Timed out' },
  rejected: { emoji: ':no_entry_sign:', word: 'Rejected' },
  denied: { emoji: ':no_entry:', word: 'Not permitted' },
  expired: { emoji: ':hourglass:', word: 'Approval expired' },
  cancelled: { emoji: ':octagonal_sign:', word: 'Stopped' },
};

const verbs: Record<string, string> = {
  deploy: 'Deploy',
  scale: 'Scale',
  rollback: 'Roll back',
  release: 'Release',
  build: 'Build',
  scan: 'Scan',
  sign: 'Sign',
  verify: 'Verify',
  status: 'Status of',
  stop: 'Stop all changes',
  resume: 'Let changes go on',
  join: 'A turn with',
  away: 'Away',
  exec: 'Run a command in',
  debug: 'Debug',
  logs: 'Logs of',
  'pod-delete': 'Delete a pod of',
  back: 'Back',
  'network-allow': 'Let traffic in to',
  'network-deny': 'Shut off',
  'network-reach': 'Who reaches whom',
  network: 'Network policies',
  'access-who': 'Who may',
  'access-can': 'May they',
  'access-grant': 'Grant access',
  'access-revoke': 'Take back access',
};

const capital = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
/** `Deploy web to production`. */
export function titleOf({ operation, place, site, input }: Run): string {
  const verb = verbs[operation] ?? capital(operation.replaceAll('-', ' '));
  const app = place?.app ?? (typeof input.app === 'string' ? input.app : '');
  const preposition = operation === 'deploy' || operation === 'release' ? 'to' : 'in';
  const [name = ''] = [input.name, input.service].filter((each) => typeof each === 'string');
  const apps = Array.isArray(input.apps) ? input.apps.join(', ') : '';
  const named = app || name || apps;
  const env = (place ?? site)?.env;
  return [verb, named, ...(env === undefined ? [] : [preposition, env])].filter(Boolean).join(' ');
}

/** Back on stable is neither a failure like others nor merely stopped. */
export function stateOf({ state, report }: Pick<Run, 'state' | 'report'>): { emoji: string; word: string } {
  if (report?.kind === 'taken-back' && report.stays.length === 0)
    return { emoji: ':rewind:', word: report.aborted ? 'Aborted' : 'Taken back' };
  if (report?.kind !== 'rolled-back') return states[state];
  return { emoji: ':rewind:', word: report.reason === 'aborted' ? 'Aborted' : 'Rolled back' };
}

/** How a run that was set aside goes on, or ends. */
export const resumeText = ({ id }: Pick<Run, 'id'>): string =>
  `It is not taken up again by itself: /ship resume ${id} takes it up, /ship cancel ${id} gives it up.`;
