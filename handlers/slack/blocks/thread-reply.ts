import { actorId, personOf } from '../../../src/core/actor.ts';
import { endText } from '../../../src/core/end-text.ts';
import type { Run, RunEvent } from '../../../src/core/run.ts';
import { isOver } from '../../../src/core/run.ts';
import type { Settings } from '../../../src/core/settings.ts';
import {
  harmless,
  type MessageView,
  type Mrkdwn,
  moment,
  mrkdwn,
  preformatted,
  section,
  spokenText,
} from './elements.ts';
import { nameOf, whoCould } from './people.ts';
import { resumeText, stateOf, titleOf } from './run-words.ts';

/** One block of preformatted text takes so much. */
const blockLetters = 2_800;
const mostBlocks = 20;

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);

/** Progress is shown in the message itself; the thread keeps what one may want to read later. */
const kept = ({ kind }: RunEvent) => ['log', 'decision', 'plan', 'cancel', 'steer'].includes(kind);

/** In preformatted text nobody can be mentioned, so people go by their name in `shipmate.yaml`. */
function lineOf({ partOf }: Run, event: RunEvent, settings: Settings): string {
  const by = event.kind === 'decision' || event.kind === 'steer' ? event.actor : undefined;
  const who = by ? ` by ${personOf(settings, by) ?? actorId(by)}` : '';
  // In one thread are the lines of all parts.
  const part = partOf ? `${partOf.key}: ` : '';
  return `${clock(event.at)}  ${part}${event.text}${who}`;
}

/** A question to the requester calls them; a timed wait calls nobody. */
function waitCall(run: Run, settings: Settings): Mrkdwn | undefined {
  const asked = Object.values(run.steps).find(({ state, asks }) => state === 'waiting' && asks);
  if (!asked) return undefined;
  const who =
    asked.asks?.of === 'approvers' && run.verdict?.kind === 'needs-approval'
      ? whoCould(settings, run.verdict.approvers, run.actor)
      : nameOf(run.actor, settings);
  return mrkdwn`:wave: ${who}: ${harmless(titleOf(run))} waits for you.`;
}

function summons(run: Run, events: readonly RunEvent[], settings: Settings): Mrkdwn | undefined {
  const has = (kind: RunEvent['kind']) => events.some((event) => event.kind === kind);
  if (run.state === 'awaiting' && has('plan') && run.verdict?.kind === 'needs-approval')
    return mrkdwn`:raised_hand: ${whoCould(settings, run.verdict.approvers, run.actor)}: please look at this plan.`;
  if (run.state === 'awaiting' && has('call') && run.verdict?.kind === 'needs-approval') {
    const until = run.expiresAt === undefined ? mrkdwn`` : mrkdwn` It lapses ${moment(run.expiresAt)}.`;
    return mrkdwn`:bell: ${whoCould(settings, run.verdict.approvers, run.actor)}: this plan still waits for you.${until}`;
  }
  if (run.state === 'running' && events.some(({ kind, text }) => kind === 'step' && text === 'waiting'))
    return waitCall(run, settings);
  if (run.state === 'set-aside' && has('state'))
    return mrkdwn`:construction: ${nameOf(run.actor, settings)}: ${harmless(titleOf(run))} was set aside. ${spokenText(resumeText(run))}`;
  if (!isOver(run.state) || !has('state')) return undefined;
  const end = run.fault?.message ?? (run.report ? endText(run.report) : stateOf(run).word);
  const { emoji } = stateOf(run);
  return mrkdwn`${harmless(emoji)} ${nameOf(run.actor, settings)}: ${harmless(titleOf(run))} – ${spokenText(end)}`;
}

/** Lines in as few blocks as take them whole. */
function inBlocks(lines: readonly string[]): string[] {
  const blocks: string[] = [];
  for (const line of lines) {
    const sofar = blocks.at(-1);
    if (sofar !== undefined && sofar.length + line.length < blockLetters)
      blocks[blocks.length - 1] = `${sofar}\n${line}`;
    else blocks.push(line);
  }
  const rest = blocks.length - mostBlocks;
  return rest > 0 ? [...blocks.slice(0, mostBlocks), '… and more than a message takes'] : blocks;
}

/** What the thread of a run's message gets for these events; failures are shown in the channel too. */
export function threadReply(
  run: Run,
  events: readonly RunEvent[],
  settings: Settings,
): (MessageView & { broadcast: boolean }) | undefined {
  const lines = events.filter(kept).map((event) => lineOf(run, event, settings));
  const call = summons(run, events, settings);
  if (lines.length === 0 && call === undefined) return undefined;
  const loud = ['failed', 'timed-out', 'set-aside'].includes(run.state) || run.breakGlass !== undefined;
  const bad = call !== undefined && loud;
  return {
    text: call ?? spokenText(lines.at(-1) ?? ''),
    blocks: [...(call === undefined ? [] : [section(call)]), ...inBlocks(lines).map(preformatted)],
    broadcast: bad,
  };
}
