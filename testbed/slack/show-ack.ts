import { z } from 'zod';
import type { Args } from './answers.ts';
import type { Delivered } from './delivery.ts';
import { contentOf } from './message-content.ts';
import { botUser, type Message, type Workspace } from './workspace.ts';

const slackbot = 'USLACKBOT';

const Said = z.looseObject({ response_type: z.enum(['ephemeral', 'in_channel']).default('ephemeral') });

/** Nothing, a word, or a message in JSON. */
function saidOf(body: unknown): Args | undefined {
  if (typeof body === 'string') return body === '' ? undefined : { text: body };
  const fields = Said.safeParse(body).data;
  const empty = fields?.text === undefined && fields?.blocks === undefined && fields?.attachments === undefined;
  return empty ? undefined : fields;
}

/** Shows what an app answered to the command `line` as Slack shows it: to the one who asked, or with the command to all. */
export function showAck(
  space: Workspace,
  to: { user: string; channel: string },
  line: string,
  { status, body, late }: Delivered,
): Message | undefined {
  const { user, channel } = to;
  const whisper = (text: string) =>
    space.put({ ts: space.nextTs(), channel, user: slackbot, text, blocks: [], onlyFor: user });
  const failed = (error: string) => whisper(`${line.split(' ')[0]} failed with the error "${error}"`);
  if (late) return failed('operation_timeout');
  if (status !== 200) return failed('dispatch_failed');
  const said = saidOf(body);
  const inChannel = Said.safeParse(body).data?.response_type === 'in_channel';
  if (inChannel) space.put({ ts: space.nextTs(), channel, user, text: line, blocks: [] });
  if (!said) return undefined;
  const read = contentOf(said);
  if ('refused' in read) return failed(read.refused.error);
  const onlyFor = inChannel ? {} : { onlyFor: user };
  return space.put({ ts: space.nextTs(), channel, user: botUser, ...read.content, ...onlyFor });
}
