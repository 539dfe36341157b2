import type { KnownBlock } from '@slack/types';
import { endText } from '../../../src/core/end-text.ts';
import { spanText } from '../../../src/core/moments.ts';
import { isOver, type Run } from '../../../src/core/run.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { troubleText } from '../../../src/core/trouble-text.ts';
import { type Canary, courseBlocks, isCourse, standingBlocks, steerLines } from './canary-blocks.ts';
import { diffView } from './diff-text.ts';
import {
  code,
  context,
  harmless,
  header,
  type MessageView,
  moment,
  preformatted,
  section,
  spokenText,
} from './elements.ts';
import { nameOf, whoCould } from './people.ts';
import { buttonsOf } from './run-buttons.ts';
import { progressBlocks } from './run-tasks.ts';
import { resumeText, stateOf, titleOf } from './run-words.ts';
import { endOfText } from './text-message.ts';

function headline(run: Run, settings: Settings): string {
  const { emoji, word } = stateOf(run);
  const summary = run.plan ? ` · ${harmless(run.plan.summary)}` : '';
  return `${emoji} *${word}*${summary} · asked by ${nameOf(run.actor, settings)}`;
}

function planBlocks({ plan, replanned, state }: Run): KnownBlock[] {
  if (!plan || plan.changes.length === 0) return [];
  const changed = replanned && state === 'awaiting';
  const { text, shown, all, isAll } = diffView(plan);
  return [
    ...(changed ? [section(':warning: *The plan changed since it was approved, so the question is asked anew.*')] : []),
    preformatted(text),
    ...(isAll
      ? []
      : [context(`:scroll: Here are ${shown} lines, shortened, of ${all}. The whole plan is in the thread.`)]),
    ...(plan.warnings ?? []).slice(0, 5).map((warning) => context(`:warning: ${harmless(warning)}`)),
    ...(plan.takesOver.length > 0
      ? [
          context(
            `:warning: Takes over from ${plan.takesOver.map(({ field, manager }) => `${code(manager)}: ${code(field)}`).join(', ')}`,
          ),
        ]
      : []),
  ];
}

const decisionWords = {
  approve: ':white_check_mark: Approved',
  reject: ':no_entry_sign: Rejected',
  withdraw: ':leftwards_arrow_with_hook: Approval taken back',
};

function decisionLines(run: Run, settings: Settings): string[] {
  return run.decisions.map(({ actor, kind, at, reason }) => {
    return `${decisionWords[kind]} by ${nameOf(actor, settings)} ${moment(at)}${reason ? `: “${harmless(reason)}”` : ''}`;
  });
}

function endBlocks(run: Run, settings: Settings, canary: Canary): KnownBlock[] {
  const { report, fault } = run;
  if (fault) return [section(`*${harmless(fault.message)}*\n${harmless(fault.hint)}`)];
  if (!report) return [];
  if (isCourse(report)) return courseBlocks(report, canary, settings);
  if (report.kind === 'text' || report.kind === 'executed')
    return [
      section(harmless(endText(report))),
      ...(report.text.trim() === '' ? [] : [preformatted(endOfText(report.text))]),
    ];
  if (report.kind === 'build-failed')
    return [
      section(`*${harmless(endText(report))}*`),
      ...(report.log.trim() === '' ? [] : [preformatted(endOfText(report.log))]),
    ];
  if (report.kind !== 'rollout-failed' && report.kind !== 'rollout-timed-out')
    return [section(harmless(endText(report)))];
  const { next } = troubleText(report.trouble);
  const logs = report.trouble.logs;
  return [
    section(`*${harmless(endText(report))}*\n${next}`),
    ...(logs.length > 0 ? [preformatted(logs.slice(-10).join('\n'))] : []),
  ];
}

function footer(run: Run, settings: Settings): string {
  const { verdict, expiresAt, state } = run;
  const waits =
    state === 'awaiting' && verdict?.kind === 'needs-approval'
      ? [
          `${whoCould(settings, verdict.approvers, run.actor)} can approve${expiresAt ? ` until ${moment(expiresAt)}` : ''}`,
        ]
      : [];
  const end = isOver(state) ? [moment(run.updatedAt)] : [];
  const rule = verdict && verdict.kind !== 'deny' ? [`rule “${harmless(verdict.rule)}”`] : [];
  return [...waits, ...end, `run ${code(run.id)}`, ...rule].join(' · ');
}

/** The runs before a run in its line, the one under way first, whether that was set aside, and about how long they take. */
export type InLine = { ahead: string[]; aside?: boolean; waitMs?: number };

function waitBlocks(run: Run, settings: Settings, inLine: InLine | undefined): KnownBlock[] {
  if (inLine && inLine.ahead.length > 0) {
    const [first = ''] = inLine.ahead;
    if (inLine.aside)
      return [
        section(
          `:construction: Number ${inLine.ahead.length} in line behind run ${code(first)}, which was set aside. ${resumeText({ id: first })}`,
        ),
      ];
    const span = inLine.waitMs === undefined ? '' : `, about ${spanText(inLine.waitMs)}`;
    return [section(`Number ${inLine.ahead.length} in line${span}; under way: run ${code(first)}.`)];
  }
  if (run.unidentified && !isOver(run.state)) {
    const who = nameOf(run.unidentified.actor, settings);
    return [
      section(
        `:hourglass_flowing_sword: Waits for Slack to say who ${who} is. It goes on by itself then; nothing is changed before.`,
      ),
    ];
  }
  const asked =
    run.state === 'running' && Object.values(run.steps).find(({ state, asks }) => state === 'waiting' && asks);
  if (!asked) return [];
  const who = asked.asks?.of === 'requester' ? nameOf(run.actor, settings) : 'An approver';
  return [section(`:wave: ${who}: please answer${asked.until ? ` until ${moment(asked.until)}` : ''}.`)];
}

function glassBlocks({ breakGlass }: Run, settings: Settings): KnownBlock[] {
  if (!breakGlass) return [];
  const seen = breakGlass.reviewed
    ? `Reviewed by ${nameOf(breakGlass.reviewed.actor, settings)} ${moment(breakGlass.reviewed.at)}.`
    : 'To be reviewed by somebody else.';
  const spared = ['approvals', ...settings.breakGlass.spares];
  return [
    section(
      `:rotating_light: *The glass was broken*: ${spared.join(', ')} did not count. “${harmless(breakGlass.reason)}” ${seen}`,
    ),
  ];
}

function asideBlocks(run: Run, settings: Settings): KnownBlock[] {
  const { state, setAside, checklist, steps } = run;
  if (!setAside) return [];
  const { workers, resumed, at } = setAside;
  if (state !== 'set-aside') {
    const by = resumed ? ` Taken up again by ${nameOf(resumed.actor, settings)} ${moment(resumed.at)}.` : '';
    return [
      context(`:construction: Set aside ${moment(at)}: ${workers} workers were lost while it was under way.${by}`),
    ];
  }
  const step = checklist.findLast((name) => steps[name]);
  const where = step === undefined ? '' : `, in the step ${code(step)}`;
  return [
    section(
      `:construction: *${workers} workers were lost while this was under way*${where}. What it changed so far stays as it is. ${resumeText(run)}`,
    ),
  ];
}

function stopLines({ cancelled }: Run, settings: Settings): string[] {
  if (!cancelled) return [];
  const reason = cancelled.reason ? `: “${harmless(cancelled.reason)}”` : '';
  return [`:octagonal_sign: Stopped by ${nameOf(cancelled.actor, settings)} ${moment(cancelled.at)}${reason}`];
}

/** The one message of a run, whatever its state: posted once, then edited. */
export function runMessage(
  run: Run,
  settings: Settings,
  inLine?: InLine,
  canary: Canary = { steers: [] },
): MessageView {
  const title = titleOf(run);
  const { word } = stateOf(run);
  const end = run.fault?.message ?? (run.report && endText(run.report));
  const said = [...decisionLines(run, settings), ...steerLines(canary, settings), ...stopLines(run, settings)];
  return {
    text: spokenText([`${title}: ${word.toLowerCase()}`, run.plan?.summary, end].filter(Boolean).join(' – ')),
    blocks: [
      header(title),
      section(headline(run, settings)),
      ...glassBlocks(run, settings),
      ...asideBlocks(run, settings),
      ...waitBlocks(run, settings, inLine),
      ...standingBlocks(run, canary, settings),
      ...endBlocks(run, settings, canary),
      ...planBlocks(run),
      ...progressBlocks(run),
      ...(said.length > 0 ? [context(said.join('\n'))] : []),
      ...buttonsOf(run, settings),
      context(footer(run, settings)),
    ],
  };
}
