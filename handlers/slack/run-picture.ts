import type { WebClient } from '@slack/web-api';
import type { Log, Shown } from '../../src/core/ports.ts';
import type { Run } from '../../src/core/run.ts';
import type { Steer } from '../../src/core/steer.ts';
import type { MessageView } from './blocks/elements.ts';
import { courseOf } from './chart/course.ts';
import { pngOf } from './chart/picture.ts';
import { shareChart } from './chart/share-chart.ts';
import { SlackError } from './send.ts';
import { uploadPicture } from './whole-file.ts';

/** Slack shows a file in a message only once it has looked at it, which takes some seconds: so often it is tried. */
const mostRefusals = 5;
export const pictureAgainMs = 2_000;

/** The picture that a run's message may show, with its words. */
export function pictureOf(run: Run, steers: readonly Steer[], shown: Shown | undefined) {
  const { picture } = shown ?? {};
  if (!picture || picture.refused >= mostRefusals) return undefined;
  const alt = courseOf(run, steers)?.alt;
  return alt === undefined ? undefined : { file: picture.file, alt };
}

export const refusedOnce = (shown: Shown): Shown =>
  shown.picture ? { ...shown, picture: { ...shown.picture, refused: shown.picture.refused + 1 } } : shown;

/** Edits the message so that it shows its picture. @returns whether Slack took it */
export async function takesPicture(client: WebClient, { channel, ts }: Shown, view: MessageView): Promise<boolean> {
  try {
    await client.chat.update({ channel, ts, ...view });
    return true;
  } catch (thrown) {
    if (SlackError.safeParse(thrown).data?.data?.error === 'invalid_blocks') return false;
    throw thrown;
  }
}

/** What is to be tried once more in a while. */
export const isPending = ({ picture }: Shown, before: Shown | undefined): boolean =>
  picture !== undefined &&
  picture.refused < mostRefusals &&
  (before?.picture === undefined || before.picture.refused < picture.refused);

/** The chart of a run that is over goes to its thread, once. Without it everything is said too, so failing is no trouble. */
export async function bringPicture(
  { client, log }: { client: WebClient; log: Log },
  run: Run,
  steers: readonly Steer[],
  shown: Shown,
): Promise<Shown> {
  const found = shown.picture ? undefined : courseOf(run, steers);
  if (!found) return shown;
  const { course, alt } = found;
  const to = { channel_id: shown.channel, thread_ts: shown.ts };
  const done = await uploadPicture(client, { title: course.title, alt, draw: () => pngOf(shareChart(course)) }, to);
  if ('file' in done) return { ...shown, picture: { file: done.file, refused: 0 } };
  log.warn({ runId: run.id, problem: done.problem }, 'Slack did not take a picture');
  return { ...shown, picture: { file: '', refused: mostRefusals } };
}
