import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Report } from '../../src/core/report.ts';
import { isWhole } from './blocks/text-message.ts';

/** A text that is longer than its message shows. */
export type Whole = { filename: string; title: string; content: string };

const nameOf = (title: string) =>
  `${title
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 80)}.txt`;

/** What a build said, from its beginning. */
function buildLog({ image, log }: Extract<Report, { kind: 'built' | 'build-failed' }>): Whole | undefined {
  const title = `Build of ${image}`;
  return log === undefined || log.trim() === '' ? undefined : { filename: nameOf(title), title, content: log };
}

/** All of a report's text, where its message does not show all of it. */
export function wholeOf(report: Report | undefined): Whole | undefined {
  if (report?.kind === 'built' || report?.kind === 'build-failed') return buildLog(report);
  if (report?.kind !== 'text' && report?.kind !== 'executed') return undefined;
  if (isWhole(report.text)) return undefined;
  const title = report.kind === 'text' ? report.title : `${report.command} in ${report.pod}`;
  return { filename: nameOf(title), title, content: report.text };
}

const Refused = z.object({ code: z.string(), data: z.object({ error: z.string() }).optional() });
const Limited = z.object({ retryAfter: z.number() });

function problemOf(thrown: unknown): string {
  const error = Refused.safeParse(thrown).data?.data?.error;
  const hint = error === 'missing_scope' ? ': install the app again, with files:write and im:write' : '';
  return `the rest could not be uploaded (${error ?? 'Slack did not take it'}${hint})`;
}

/** Does it, and says in words why it could not be done. A rate limit is thrown: later it can. */
async function said(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (thrown) {
    if (Limited.safeParse(thrown).success) throw thrown;
    return problemOf(thrown);
  }
}

const Uploaded = z.object({ files: z.array(z.object({ files: z.array(z.object({ id: z.string() })).min(1) })).min(1) });

/** Draws a picture and uploads it, to no channel: messages may show it. @returns the file, or why there is none */
export async function uploadPicture(
  client: WebClient,
  { title, alt, draw }: { title: string; alt: string; draw: () => Promise<Buffer> },
): Promise<{ file: string } | { problem: string }> {
  let file: string | undefined;
  const problem = await said(async () => {
    const filename = nameOf(title).replace(/\.txt$/, '.png');
    const sent = await client.files.uploadV2({
      filename,
      title,
      alt_text: alt.slice(0, 1_000),
      file: await draw(),
    });
    file = Uploaded.safeParse(sent).data?.files[0]?.files[0]?.id;
  });
  return file === undefined ? { problem: problem ?? 'Slack did not say which file it is' } : { file };
}

/** Uploads a text to a channel's thread. @returns why it could not be, where it could not */
export function upload(
  client: WebClient,
  { filename, title, content }: Whole,
  to: { channel_id: string; thread_ts: string },
): Promise<string | undefined> {
  return said(() => client.files.uploadV2({ filename, title, file: Buffer.from(content), ...to }));
}

/** Uploads a text to the conversation with a person. @returns why it could not be, where it could not */
export function uploadTo(
  client: WebClient,
  { filename, title, content }: Whole,
  user: string,
): Promise<string | undefined> {
  return said(async () => {
    const { channel } = await client.conversations.open({ users: user });
    const channel_id = channel?.id ?? '';
    await client.files.uploadV2({ filename, title, file: Buffer.from(content), channel_id });
  });
}
