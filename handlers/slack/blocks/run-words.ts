import { shortImage } from '../../../src/core/image.ts';
import { scopeText } from '../../../src/core/lock.ts';
import { momentText } from '../../../src/core/moments.ts';
import { placesText, type Report } from '../../../src/core/report.ts';
import type { Run, RunState } from '../../../src/core/run.ts';
import { troubleText } from './trouble-text.ts';

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
/** A scope that a sentence begins with: names stay as they are. */
const scopeAhead = (scope: string): string => scopeText(scope).replace(/^everything(?= |$)/, 'Everything');

const ends = {
  done: 'Done: the next one is up.',
  over: 'The time is over: the next one is up.',
  passed: 'Passed: the next one is up.',
  unclaimed: 'Nobody answered in time: the next one is up.',
};

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

function executedText(report: Extract<Report, { kind: 'executed' }>): string {
  const { exitCode, timedOut, problem, bytes, cut, seconds } = report;
  if (problem !== undefined) return problem;
  const how = timedOut ? `not over after ${seconds} s, and left to itself` : `exit code ${exitCode ?? 'unknown'}`;
  const size =
    bytes === 0 ? 'no output' : `${bytes} bytes of output${cut ? ', of which only the beginning was kept' : ''}`;
  return `${capital(how)}; ${size}.`;
}

const backWords = {
  aborted: 'Aborted',
  broken: 'Rolled back: the new pods broke',
  regression: 'Rolled back',
  unknown: 'Rolled back: nobody knows how it does',
  fault: 'Rolled back',
};

/** Back on stable, and what decided; `who` said so, where somebody did. */
export function rolledBackText(
  { reason, detail, trouble }: Extract<Report, { kind: 'rolled-back' }>,
  who?: string,
): string {
  const by = who === undefined ? '' : ` by ${who}`;
  const why = trouble ? troubleText(trouble).what : detail;
  const said = why === '' ? '' : reason === 'aborted' ? ` (“${why}”)` : `: ${why}`;
  return `${backWords[reason]}${by}${said}. All traffic is on stable.`;
}

const listed = (names: readonly string[]) => names.join(', ').replace(/, ([^,]*)$/, ' and $1');

function releaseText(report: Extract<Report, { kind: 'released' | 'taken-back' }>): string {
  const names = report.apps.map(({ app }) => app);
  if (report.kind === 'released')
    return report.differs.length > 0
      ? `${listed(report.differs)} does not run what was released: somebody changed it beside Shipmate.`
      : `${listed(names)}: released, and running.`;
  const { app, why, aborted, stays } = report;
  const cause = aborted ? `It was aborted (${app}: ${why})` : `${app} failed: ${why}`;
  const stuck = new Set(stays.map((each) => each.app));
  const back = names.filter((name) => !stuck.has(name));
  const left = stays.map((each) => `${each.app} could not be taken back: ${each.why.replace(/\.$/, '')}.`);
  return [
    `${cause.replace(/\.$/, '')}.`,
    ...(names.length === 0 ? ['Nothing was changed.'] : []),
    ...(back.length > 0 ? [`Back to what was before: ${listed(back)}.`] : []),
    ...left,
  ].join(' ');
}

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
    case 'promoted':
      return `All traffic is on the new version: ${report.ready} of ${report.replicas} pods ready.${report.said === undefined ? '' : ` ${capital(report.said)}.`}`;
    case 'steered':
      return `Run ${report.run} was told: ${report.said}.`;
    case 'rolled-back':
      return rolledBackText(report);
    case 'released':
    case 'taken-back':
      return releaseText(report);
    case 'superseded':
      return `A later change took over${report.by === undefined ? '' : ` (run ${report.by})`}; this one was not followed to its end.`;
    case 'built':
      return report.reused
        ? `${shortImage(report.image)} is in the registry: it was built before, from the same.`
        : `${shortImage(report.image)} built and pushed in ${report.seconds} s.`;
    case 'build-failed':
      return report.problem;
    case 'status':
      return placesText(report.apps.length);
    case 'locked':
      return `${scopeAhead(report.scope)} is locked ${momentText(report.until)}: “${report.reason}”.`;
    case 'unlocked':
      return `${scopeAhead(report.scope)} is not locked any more.`;
    case 'turn':
      return ends[report.end];
    case 'away':
      return `${report.to} decides for ${report.from} ${momentText(report.until)}.`;
    case 'back':
      return `${report.from} decides again.`;
    case 'verdict':
      return `${report.who}, “${report.what}”: ${report.terms}.`;
    case 'executed':
      return executedText(report);
    case 'table':
      return report.note ?? `${report.rows.length} lines`;
    case 'changed':
      return `${report.objects.join(', ')}: done.${report.note === undefined ? '' : ` ${report.note}`}`;
    case 'explanation':
      return `${report.headline} ${report.cause}`;
    case 'text':
      return report.note ?? `${report.text.split('\n').length} lines`;
    default:
      return report satisfies never;
  }
}
