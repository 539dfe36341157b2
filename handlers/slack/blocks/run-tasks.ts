import type { KnownBlock } from '@slack/types';
import { partText } from '../../../src/core/parts.ts';
import { isOver, type Run } from '../../../src/core/run.ts';
import { begunSteps, shareOf } from '../../../src/core/standing.ts';
import { shareDetails } from './canary-blocks.ts';
import { checklist, type Task } from './elements.ts';
import { stateOf } from './run-words.ts';

const stepWords: Record<string, string> = {
  prepare: 'Put up the new version beside the old one',
  smoke: 'Test it before it gets any traffic',
  experiment: 'Clear away what the new version was compared with',
  promote: 'Give the old one’s pods the new version',
  return: 'Hand the traffic over',
  back: 'Send all traffic back to stable',
  remove: 'Clear away what stood beside it',
  watch: 'Watch it for a while',
  steer: 'Tell the canary',
  apply: 'Apply the plan',
  settle: 'Wait until the pods are ready',
  build: 'Build the image',
  push: 'Push it to the registry',
  copy: 'Change the registry',
  attest: 'Put the decision beside the image, signed',
  scan: 'Scan the image, and keep what was found',
  sign: 'Sign the image',
  read: 'Look',
  verify: 'Look whether it is what was released',
  write: 'Make the changes',
  check: 'Look whether all is as planned',
  run: 'Run the command',
  start: 'Wait until it runs',
  cordon: 'Let the node take no new pods',
  evict: 'Move its pods elsewhere',
  release: 'Leave the count to the autoscaler',
  claim: 'Your turn: are you there?',
  turn: 'Your turn',
  lock: 'Lock',
  unlock: 'Unlock',
  note: 'Note it',
};

/** A share of the traffic is a step of its own: `weight 25`. */
function titleOfStep(name: string, { plan, operation }: Run): string {
  const [wave] = /(?<=^wave )\d+$/.exec(name) ?? [];
  if (wave !== undefined)
    return (plan?.parts ?? []).flatMap((part) => (part.wave === Number(wave) ? [partText(part)] : [])).join(', ');
  if (operation === 'release' && name === 'back') return 'Take all back to what they were';
  const share = shareOf(name);
  return share === undefined ? (stepWords[name] ?? name) : `${share} % of the traffic`;
}

/** Where a run that went back to stable was until then. */
const turnedAt = (names: readonly string[]): string | undefined => names[names.indexOf('back') - 1];

function taskStatus(run: Run, name: string, names: readonly string[]): Task['status'] {
  const step = run.steps[name];
  const bad = run.state === 'failed' || run.state === 'timed-out';
  const { report } = run;
  if (report?.kind === 'rolled-back')
    return report.reason !== 'aborted' && name === turnedAt(names) ? 'error' : 'complete';
  if (step?.state === 'failed' || (bad && step && name === run.checklist.findLast((known) => run.steps[known])))
    return 'error';
  if (step?.state === 'done') return 'complete';
  if (step?.state === 'waiting' && step.memo === undefined && step.note === undefined) return 'pending';
  return step ? 'in_progress' : 'pending';
}

const mostTasks = 50;

/** A canary may pass over shares, or turn back: what will not come any more is no task. */
function listed(run: Run): string[] {
  const { plan, checklist, steps, state, report } = run;
  if (!plan?.rollout) return checklist.slice(-mostTasks);
  const begun = begunSteps(run);
  const reached = shareOf(begun.findLast((name) => shareOf(name) !== undefined) ?? '') ?? 0;
  const last = checklist.indexOf(begun.at(-1) ?? '');
  const turned = steps.back !== undefined || report !== undefined || isOver(state);
  const comes = (name: string, index: number) => {
    if (turned) return name === 'remove' && !isOver(state);
    return index > last && (shareOf(name) ?? 100) >= reached;
  };
  return checklist.filter((name, index) => steps[name] || comes(name, index)).slice(-mostTasks);
}

/** What a run does, one card a step. */
export function progressBlocks(run: Run): KnownBlock[] {
  const begun = Object.keys(run.steps).length > 0 || run.state === 'running';
  const names = listed(run);
  if (!begun || names.length === 0) return [];
  const tasks = names.map((name) => {
    const step = run.steps[name];
    return {
      id: `${run.id}_${name}`,
      title: titleOfStep(name, run),
      status: taskStatus(run, name, names),
      details: step && shareOf(name) !== undefined ? shareDetails(step) : step?.note,
    };
  });
  return [checklist(stateOf(run).word, tasks)];
}
