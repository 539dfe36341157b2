import type { WebClient } from '@slack/web-api';
import { digestOf } from '../../src/core/json.ts';
import type { Log } from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Picture, Shown } from '../../src/core/shown.ts';
import { standingOf } from '../../src/core/standing.ts';
import type { Steer } from '../../src/core/steer.ts';
import type { MessageView } from './blocks/elements.ts';
import { courseOf } from './chart/course.ts';
import { pngOf } from './chart/picture.ts';
import { shareChart } from './chart/share-chart.ts';
import { SlackError } from './send.ts';
import { uploadPicture } from './whole-file.ts';

/**
 * The chart in a run's message. A picture is a file that is in no channel, so nobody sees one but in the message: a file that was
 * uploaded for nothing, by a process that was killed, is noticed by nobody. A newer one takes its place by an edit.
 */

/** Slack shows a file in a message only once it has looked at it, which takes some seconds: so often it is tried. */
const mostRefusals = 5;
export const pictureAgainMs = 2_000;
/** How old a picture may be while the run is under way, and how young it stays though the run goes on to its next step. */
const renewMs = 30_000;
const leastMs = 10_000;

/** What people should see at once: everything about a run but what is measured and said meanwhile. */
export function momentOf(run: Run, steers: readonly Steer[]): string {
  const { state, verdict, decisions, cancelled, breakGlass } = run;
  const steps = Object.entries(run.steps).map(([name, step]) => [name, step.state]);
  const { phase, weight, to } = standingOf(run, steers) ?? {};
  return digestOf({
    state,
    steps,
    said: steers.length,
    decided: decisions.length,
    reviewed: breakGlass?.reviewed !== undefined,
    cancelled: cancelled !== undefined,
    verdict: verdict?.kind ?? '',
    standing: [phase ?? '', weight ?? '', to ?? ''],
  });
}

/** The files that a run's message may show, the newest first: until Slack shows that, the one before stays. */
function picturesOf({ picture }: Shown): string[] {
  if (!picture) return [];
  const { file, refused, before } = picture;
  return [...(file !== '' && refused < mostRefusals ? [file] : []), ...(before === undefined ? [] : [before])];
}

function refusedOnce(shown: Shown, file: string): Shown {
  const { before, ...newest } = shown.picture ?? { file: '', refused: 0 };
  const refused = newest.refused + 1;
  return {
    ...shown,
    picture: file === before ? newest : { ...newest, refused, ...(before !== undefined && { before }) },
  };
}

/** @returns whether Slack took the edit */
async function takesPicture(client: WebClient, { channel, ts }: Shown, view: MessageView): Promise<boolean> {
  try {
    await client.chat.update({ channel, ts, ...view });
    return true;
  } catch (thrown) {
    if (SlackError.safeParse(thrown).data?.data?.error === 'invalid_blocks') return false;
    throw thrown;
  }
}

/** The newest picture is in the message: nobody sees the one before any more. One that can't be removed is no trouble. */
async function withoutBefore(client: WebClient, shown: Shown): Promise<Shown> {
  const { before, ...newest } = shown.picture ?? { file: '', refused: 0 };
  if (before === undefined) return shown;
  await client.files.delete({ file: before }).catch(() => {});
  return { ...shown, picture: newest };
}

/** Edits the message so that it shows its picture; what Slack would not take is counted. */
export async function showPicture(
  client: WebClient,
  shown: Shown,
  viewOf: (file: string) => MessageView,
): Promise<{ shown: Shown; taken: Shown | undefined }> {
  let current = shown;
  for (const file of picturesOf(shown)) {
    const view = viewOf(file);
    const hash = digestOf(view);
    if (current.hash === hash) return { shown, taken: current };
    if (await takesPicture(client, current, view)) {
      const taken = { ...current, hash };
      return { shown, taken: file === taken.picture?.file ? await withoutBefore(client, taken) : taken };
    }
    current = refusedOnce(current, file);
  }
  return { shown: current, taken: undefined };
}

/** What was measured changes every few seconds, and Slack takes some fifty edits a minute from all runs together. */
const paceMs = 10_000;

/** How long the message of a canary under way is left as it is, in ms: until something happens, or a while has passed. */
export function restOf(run: Run, steers: readonly Steer[], shown: Shown, now: number): number {
  const { edited, picture } = shown;
  if (!run.plan?.rollout || run.state !== 'running' || edited?.of !== momentOf(run, steers)) return 0;
  const pace = picture?.at !== undefined && picture.at >= edited.at ? pictureAgainMs : paceMs;
  return Math.max(0, edited.at + pace - now);
}

/** Whether Slack did not show the picture this time, and may the next. */
export const isPending = ({ picture }: Shown, before: Shown | undefined): boolean =>
  picture !== undefined &&
  picture.refused < mostRefusals &&
  before?.picture?.file === picture.file &&
  before.picture.refused < picture.refused;

/** Stands for the moment from which on there is nothing new to draw. */
const ended = 'ended';

/** In how many ms a picture is to be drawn; undefined where the one there is will do until something happens. */
function dueIn(picture: Picture | undefined, moment: string, now: number): number | undefined {
  if (!picture) return 0;
  // Earlier versions of Shipmate drew the end alone, and did not say so.
  const { of = ended, at = 0, refused } = picture;
  if (moment === ended) return of === ended ? undefined : 0;
  // Where Slack shows none it is left alone until the end.
  if (refused >= mostRefusals) return undefined;
  if (of === moment) return now - at < renewMs ? undefined : 0;
  return Math.max(0, at + leastMs - now);
}

/**
 * Uploads a chart of a run where the last one is too old. Without it everything is said too, so failing is no trouble.
 * @returns also in how many ms there is more to do, where there is
 */
export async function bringPicture(
  { client, log }: { client: WebClient; log: Log },
  run: Run,
  steers: readonly Steer[],
  shown: Shown,
  now: number,
): Promise<{ shown: Shown; againMs: number }> {
  const found = courseOf(run, steers);
  const moment = isOver(run.state) ? ended : momentOf(run, steers);
  const due = found && dueIn(shown.picture, moment, now);
  if (!found || due !== 0) return { shown, againMs: due ?? 0 };
  const { course, alt } = found;
  const done = await uploadPicture(client, { title: course.title, alt, draw: () => pngOf(shareChart(course)) });
  const [before] = picturesOf(shown).slice(-1);
  const drawn = { of: moment, at: now, ...(before !== undefined && { before }) };
  if ('file' in done)
    return { shown: { ...shown, picture: { file: done.file, refused: 0, ...drawn } }, againMs: pictureAgainMs };
  log.warn({ runId: run.id, problem: done.problem }, 'Slack did not take a picture');
  return { shown: { ...shown, picture: { file: '', refused: mostRefusals, ...drawn } }, againMs: 0 };
}
