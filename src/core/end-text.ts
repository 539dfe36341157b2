import { shortImage } from './image.ts';
import { scopeText } from './lock.ts';
import { momentText } from './moments.ts';
import { placesText, type Report } from './report.ts';
import { troubleText } from './trouble-text.ts';

const capital = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/** A scope that a sentence begins with: names stay as they are. */
const scopeAhead = (scope: string): string => scopeText(scope).replace(/^everything(?= |$)/, 'Everything');

const ends = {
  done: 'Done: the next one is up.',
  over: 'The time is over: the next one is up.',
  passed: 'Passed: the next one is up.',
  unclaimed: 'Nobody answered in time: the next one is up.',
};

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
