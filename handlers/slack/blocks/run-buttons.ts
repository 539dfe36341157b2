import type { KnownBlock } from '@slack/types';
import { environmentNames } from '../../../src/core/apps.ts';
import { siteOf } from '../../../src/core/place.ts';
import { isOver, type Run } from '../../../src/core/run.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { actions, type ButtonSpec } from './elements.ts';
import { titleOf } from './run-words.ts';

/** Actions of buttons; those of a run bear its id, a button that asks for an operation bears the operation and its input. */
export const approveAction = 'run_approve';
export const rejectAction = 'run_reject';
export const stopAction = 'run_stop';
export const answerAction = 'run_answer';
export const reviewAction = 'run_review';
export const resumeAction = 'run_resume';
export const askAction = 'ask';

/** `n` tells one rendering of a message from another: a button may be there again, and is another one then. */
export type AskValue = { operation: string; input: Record<string, unknown>; n?: number };
/** A button that asks for an operation. */
export const askButton = (text: string, value: AskValue, index = 0, style?: ButtonSpec['style']): ButtonSpec => ({
  action: `${askAction}_${index}`,
  text,
  value: JSON.stringify(value),
  ...(style && { style }),
});

function approvalButtons(run: Run, title: string): ButtonSpec[] {
  const { id, plan } = run;
  const where = siteOf(run);
  const value = `${id} ${plan?.digest ?? ''}`;
  const confirm = {
    title: `${title}?`,
    text: `${plan?.summary ?? ''}${where ? ` in ${where.env}` : ''}`,
    yes: 'Approve',
  };
  return [
    { action: approveAction, text: 'Approve', value, style: 'primary', confirm },
    { action: rejectAction, text: 'Reject', value, style: 'danger' },
  ];
}

/** Whether a deploy is shifting traffic now, or was when it was set aside. */
const isShifting = ({ plan, state, setAside, steps }: Run) =>
  plan?.rollout !== undefined &&
  (state === 'set-aside' ? setAside?.from : state) === 'running' &&
  Object.keys(steps).length > 0;

/** What one says to a canary under way; to stop it is to abort it. */
function steerButtons(run: Run): ButtonSpec[] {
  const { place, steps, version, checklist } = run;
  const at = checklist.findLast((name) => steps[name]) ?? '';
  if (!place || !at.startsWith('weight')) return [];
  const input = { app: place.app, env: place.env };
  const held = steps[at]?.note?.includes('paused') ?? false;
  const ask = (text: string, verb: string, index: number, style?: ButtonSpec['style']) =>
    askButton(text, { operation: `canary-${verb}`, input, n: version }, index, style);
  return [ask('Promote', 'promote', 0, 'primary'), held ? ask('Resume', 'resume', 1) : ask('Pause', 'pause', 1)];
}

/** Asked for a change that is under way, and where it waits for its turn. */
function stopButton(run: Run, title: string): ButtonSpec {
  const { id, effect } = run;
  if (isShifting(run))
    return {
      action: stopAction,
      text: 'Abort',
      value: id,
      style: 'danger',
      confirm: { title: `Abort: ${title}?`, text: 'All traffic goes back to stable at once.', yes: 'Abort' },
    };
  const left = run.plan?.parts ? 'All apps go back to what they were.' : 'What it changed so far stays as it is.';
  const text = effect === 'read' ? 'It changes nothing.' : left;
  return {
    action: stopAction,
    text: 'Stop',
    value: id,
    style: 'danger',
    confirm: { title: `Stop: ${title}?`, text, yes: 'Stop' },
  };
}

const resumeButton = ({ id }: Run): ButtonSpec => ({
  action: resumeAction,
  text: 'Take up again',
  value: id,
  confirm: {
    title: 'Take it up again?',
    text: 'Workers were lost with it. Should that happen again, it is set aside again.',
    yes: 'Take up',
  },
});

function answerButtons({ id, steps }: Run): ButtonSpec[] {
  const asked = Object.values(steps).find(({ state, asks }) => state === 'waiting' && asks);
  return (asked?.asks?.choices ?? []).map((choice, index) => ({
    action: `${answerAction}_${index}`,
    text: choice,
    value: `${id} ${choice}`,
    ...(index === 0 && { style: 'primary' as const }),
  }));
}

function deployButtons({ report, input }: Run, settings: Settings): ButtonSpec[] {
  if (report?.kind !== 'built' || typeof input.app !== 'string') return [];
  return environmentNames(settings)
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

/** The next thing that one would want, ready to click. */
function nextButtons(run: Run, settings: Settings): ButtonSpec[] {
  const { report, place, plan, state, steps } = run;
  const failed = report?.kind === 'rollout-failed' || report?.kind === 'rollout-timed-out';
  if (failed && place)
    return [
      askButton('Roll back', { operation: 'rollback', input: { app: place.app, env: place.env } }, 0, 'danger'),
      askButton('Why?', { operation: 'why', input: { what: place.app, env: place.env } }, 1),
    ];
  const changed =
    report?.kind === 'rolled-out' ||
    report?.kind === 'promoted' ||
    (report?.kind === 'changed' && run.operation === 'apply') ||
    (state === 'cancelled' && Object.keys(steps).length > 0 && report?.kind !== 'rolled-back');
  if (changed && plan?.undo) return [askButton('Undo', plan.undo)];
  return deployButtons(run, settings);
}

function reviewButtons({ id, breakGlass }: Run): ButtonSpec[] {
  return breakGlass && !breakGlass.reviewed ? [{ action: reviewAction, text: 'I have reviewed this', value: id }] : [];
}

/** Whether nobody's word changes anything any more: all traffic is where it will stay, and what served it is taken away. */
function isClearing({ steps, checklist }: Run): boolean {
  const after = steps.return !== undefined && !checklist.includes('watch');
  return after || steps.back !== undefined;
}

function buttonsFor(run: Run, settings: Settings): ButtonSpec[] {
  if (run.state === 'awaiting') return approvalButtons(run, titleOf(run));
  if (run.state === 'set-aside') return [resumeButton(run), stopButton(run, titleOf(run))];
  if (isOver(run.state)) return [...nextButtons(run, settings), ...reviewButtons(run)];
  if (run.state === 'requested' && !run.parts && !run.unidentified) return [];
  if (isShifting(run) && isClearing(run)) return answerButtons(run);
  return [...answerButtons(run), ...(isShifting(run) ? steerButtons(run) : []), stopButton(run, titleOf(run))];
}

/** The buttons of a run's message, as they fit its state. */
export function buttonsOf(run: Run, settings: Settings): KnownBlock[] {
  const buttons = buttonsFor(run, settings);
  return buttons.length > 0 ? [actions(buttons)] : [];
}
