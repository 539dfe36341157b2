import type { KnownBlock } from '@slack/types';
import { isOver, type Run } from '../../../src/core/run.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { diffText } from './diff-text.ts';
import {
  actions,
  type ButtonSpec,
  checklist,
  code,
  context,
  harmless,
  header,
  type MessageView,
  moment,
  preformatted,
  section,
  type Task,
} from './elements.ts';
import { nameOf, whoCould } from './people.ts';
import { endText, stateOf, titleOf } from './run-words.ts';
import { troubleText } from './trouble-text.ts';

/** Actions of buttons; a button that asks for an operation bears the operation and its input. */
export const approveAction = 'run_approve';
export const rejectAction = 'run_reject';
export const askAction = 'ask';

export type AskValue = { operation: string; input: Record<string, unknown> };
const askButton = (text: string, value: AskValue, index = 0, style?: ButtonSpec['style']): ButtonSpec => ({
  action: `${askAction}_${index}`,
  text,
  value: JSON.stringify(value),
  ...(style && { style }),
});

function headline(run: Run, settings: Settings): string {
  const { emoji, word } = stateOf(run.state);
  const summary = run.plan ? ` · ${harmless(run.plan.summary)}` : '';
  return `${emoji} *${word}*${summary} · asked by ${nameOf(run.actor, settings)}`;
}

function planBlocks({ plan, replanned, state }: Run): KnownBlock[] {
  if (!plan || plan.changes.length === 0) return [];
  const changed = replanned && state === 'awaiting';
  return [
    ...(changed ? [section(':warning: *The plan changed since it was approved, so the question is asked anew.*')] : []),
    preformatted(diffText(plan.changes)),
    ...(plan.takesOver.length > 0
      ? [
          context(
            `:warning: Takes over from ${plan.takesOver.map(({ field, manager }) => `${code(manager)}: ${code(field)}`).join(', ')}`,
          ),
        ]
      : []),
  ];
}

const stepWords: Record<string, string> = {
  apply: 'Apply the plan',
  settle: 'Wait until the pods are ready',
  build: 'Build the image',
  push: 'Push it to the registry',
  read: 'Look',
};

function taskStatus(run: Run, name: string): Task['status'] {
  const step = run.steps[name];
  const bad = run.state === 'failed' || run.state === 'timed-out';
  if (step?.state === 'failed' || (bad && step && name === run.checklist.findLast((known) => run.steps[known])))
    return 'error';
  if (step?.state === 'done') return 'complete';
  return step ? 'in_progress' : 'pending';
}

function progressBlocks(run: Run): KnownBlock[] {
  const begun = Object.keys(run.steps).length > 0 || run.state === 'running';
  if (!begun || run.checklist.length === 0) return [];
  const tasks = run.checklist.map((name) => ({
    id: `${run.id}_${name}`,
    title: stepWords[name] ?? name,
    status: taskStatus(run, name),
    details: run.steps[name]?.note,
  }));
  return [checklist(stateOf(run.state).word, tasks)];
}

function decisionLines(run: Run, settings: Settings): string[] {
  return run.decisions.map(({ actor, kind, at, reason }) => {
    const word = kind === 'approve' ? ':white_check_mark: Approved' : ':no_entry_sign: Rejected';
    return `${word} by ${nameOf(actor, settings)} ${moment(at)}${reason ? `: “${harmless(reason)}”` : ''}`;
  });
}

function endBlocks(run: Run): KnownBlock[] {
  const { report, fault } = run;
  if (fault) return [section(`*${harmless(fault.message)}*\n${harmless(fault.hint)}`)];
  if (!report) return [];
  if (report.kind !== 'rollout-failed' && report.kind !== 'rollout-timed-out')
    return [section(harmless(endText(report)))];
  const { next } = troubleText(report.trouble);
  const logs = report.trouble.logs;
  return [
    section(`*${harmless(endText(report))}*\n${next}`),
    ...(logs.length > 0 ? [preformatted(logs.slice(-10).join('\n'))] : []),
  ];
}

function approvalButtons({ id, plan, place }: Run, title: string): ButtonSpec[] {
  const value = `${id} ${plan?.digest ?? ''}`;
  const confirm = {
    title: `${title}?`,
    text: `${plan?.summary ?? ''}${place ? ` in ${place.env}` : ''}`,
    yes: 'Approve',
  };
  return [
    { action: approveAction, text: 'Approve', value, style: 'primary', confirm },
    { action: rejectAction, text: 'Reject', value, style: 'danger' },
  ];
}

/** The next thing that one would want, ready to click. */
function nextButtons({ report, place, input }: Run, settings: Settings): ButtonSpec[] {
  const failed = report?.kind === 'rollout-failed' || report?.kind === 'rollout-timed-out';
  if (failed && place)
    return [askButton('Roll back', { operation: 'rollback', input: { app: place.app, env: place.env } }, 0, 'danger')];
  if (report?.kind !== 'built') return [];
  return Object.keys(settings.environments)
    .slice(0, 3)
    .map((env, index) =>
      askButton(
        `Deploy to ${env}`,
        { operation: 'deploy', input: { app: input.app, env, tag: report.tag } },
        index,
        index === 0 ? 'primary' : undefined,
      ),
    );
}

function buttonsOf(run: Run, settings: Settings): KnownBlock[] {
  const buttons = run.state === 'awaiting' ? approvalButtons(run, titleOf(run)) : nextButtons(run, settings);
  return buttons.length > 0 ? [actions(buttons)] : [];
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

/** The one message of a run, whatever its state: posted once, then edited. */
export function runMessage(run: Run, settings: Settings): MessageView {
  const title = titleOf(run);
  const { word } = stateOf(run.state);
  const end = run.fault?.message ?? (run.report && endText(run.report));
  const decisions = decisionLines(run, settings);
  return {
    text: [`${title}: ${word.toLowerCase()}`, run.plan?.summary, end].filter(Boolean).join(' – '),
    blocks: [
      header(title),
      section(headline(run, settings)),
      ...endBlocks(run),
      ...planBlocks(run),
      ...progressBlocks(run),
      ...(decisions.length > 0 ? [context(decisions.join('\n'))] : []),
      ...buttonsOf(run, settings),
      context(footer(run, settings)),
    ],
  };
}
