import type { KnownBlock } from '@slack/types';
import { z } from 'zod';
import { checkBlocks } from './check-blocks.ts';
import type { Delivered } from './delivery.ts';
import { botUser, type Message, type Workspace } from './workspace.ts';

const Said = z.looseObject({
  response_type: z.enum(['ephemeral', 'in_channel']).default('ephemeral'),
  text: z.string().default(''),
  blocks: z.array(z.unknown()).default([]),
});

type To = { user: string; channel: string };

function whisper(
  space: Workspace,
  { user, channel }: To,
  from: string,
  text: string,
  blocks: KnownBlock[] = [],
): Message {
  return space.put({ ts: space.nextTs(), channel, user: from, text, blocks, onlyFor: user });
}

/** Shows what an app answered to a command (`line`), or sent to a response_url, as Slack shows it. */
export function showAck(
  space: Workspace,
  to: To,
  line: string | undefined,
  answer: Delivered | Record<string, unknown>,
): Message | undefined {
  const delivered = 'ms' in answer && 'status' in answer ? answer : undefined;
  if (delivered && delivered.status !== 200) {
    const code = delivered.late ? 'operation_timeout' : 'dispatch_failed';
    return whisper(space, to, 'USLACKBOT', `${line?.split(' ')[0]} failed with the error “${code}”`);
  }
  const body = delivered ? delivered.body : answer;
  const said = Said.safeParse(typeof body === 'string' ? { text: body } : (body ?? {}));
  if (!said.success) return undefined;
  const { response_type, text, blocks } = said.data;
  const problems = checkBlocks('message', blocks);
  if (problems.length > 0) return whisper(space, to, 'USLACKBOT', `invalid_blocks: ${problems.join(', ')}`);
  // checkBlocks has seen that they are blocks.
  const shown = blocks as KnownBlock[];
  if (response_type === 'in_channel' && line !== undefined)
    space.put({ ts: space.nextTs(), channel: to.channel, user: to.user, text: line, blocks: [] });
  if (text === '' && shown.length === 0) return undefined;
  if (response_type === 'in_channel')
    return space.put({ ts: space.nextTs(), channel: to.channel, user: botUser, text, blocks: shown });
  return whisper(space, to, botUser, text, shown);
}
