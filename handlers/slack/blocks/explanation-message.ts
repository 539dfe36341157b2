import type { Report } from '../../../src/core/report.ts';
import {
  actions,
  context,
  cut,
  harmless,
  header,
  type MessageView,
  moment,
  preformatted,
  section,
  spokenText,
} from './elements.ts';
import { askButton } from './run-buttons.ts';

type Explanation = Extract<Report, { kind: 'explanation' }>;

const signs: Record<Explanation['state'], string> = {
  well: ':large_green_circle:',
  starting: ':hourglass_flowing_sand:',
  risk: ':large_yellow_circle:',
  trouble: ':red_circle:',
  unknown: ':grey_question:',
};

/** So long at most, so that the three lines stay three lines. */
const most = { line: 600, others: 5, detail: 200, logs: 10 };

function othersText(others: Explanation['others']): string {
  const shown = others.slice(0, most.others).map(({ what }) => `• ${harmless(what)}`);
  const rest = others.length - shown.length;
  const count = others.length === 1 ? 'One more thing is' : `${others.length} more things are`;
  return [`${count} not right:`, ...shown, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n');
}

function evidenceLine({ at, what, detail }: Explanation['evidence'][number]): string {
  const when = at === undefined ? '' : `${moment(at)} `;
  return `${when}*${harmless(cut(what, most.detail))}* ${harmless(cut(detail, most.detail))}`;
}

/** What is wrong, why, and what to do, in three lines; below it what to paste and click, and who did what last. */
export function explanationMessage(report: Explanation, at: number): MessageView {
  const { headline, cause, remedy, command, logs, others, evidence, next, state } = report;
  const lines = [`*${harmless(cut(headline, most.line))}*`, cause, remedy].map((line, index) =>
    index === 0 ? `${signs[state]} ${line}` : harmless(cut(line, most.line)),
  );
  return {
    text: spokenText(`${headline} ${cause} ${remedy}`),
    blocks: [
      header(`Why ${report.app} in ${report.env}`),
      section(lines.join('\n')),
      ...(command === undefined ? [] : [preformatted(command)]),
      ...(logs.length > 0 ? [preformatted(logs.slice(-most.logs).join('\n'))] : []),
      ...(others.length > 0 ? [section(othersText(others))] : []),
      ...(next.length > 0
        ? [
            actions(
              next.map(({ label, operation, input }, index) =>
                askButton(label, { operation, input }, index, operation === 'rollback' ? 'danger' : undefined),
              ),
            ),
          ]
        : []),
      ...(evidence.length > 0 ? [context(evidence.map(evidenceLine).join('\n'))] : []),
      context(`as of <!date^${Math.floor(at / 1_000)}^{time_secs}|${new Date(at).toISOString()}>`),
    ],
  };
}
