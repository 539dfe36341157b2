import { randomBytes } from 'node:crypto';
import type { KnownBlock } from '@slack/types';
import { z } from 'zod';
import { type Args, asJson, no, type Refusal, words } from './answers.ts';
import { checkBlocks } from './check-blocks.ts';
import type { Message } from './workspace.ts';

export type Content = Pick<Message, 'text' | 'blocks' | 'attachments' | 'metadata'>;

const mostText = 40_000;
const Attachments = z.array(z.looseObject({ color: z.string().optional(), blocks: z.array(z.unknown()).optional() }));

/** Slack names the blocks that the app left without an id, anew at every edit. */
export const named = <Block extends { block_id?: string }>(blocks: readonly Block[]): Block[] =>
  blocks.map((block) => ({ ...block, block_id: block.block_id ?? randomBytes(3).toString('base64url') }));

/** Reads text, blocks, attachments and metadata of a message; an answer says why Slack would refuse them. */
export function contentOf(args: Args): { content: Content } | { refused: Refusal } {
  const blocks = asJson(args.blocks) ?? [];
  const attachments = Attachments.safeParse(asJson(args.attachments) ?? []);
  if (!attachments.success) return { refused: no('invalid_attachments') };
  const inAttachments = attachments.data.flatMap((attachment) => checkBlocks('message', attachment.blocks ?? []));
  const problems = [...checkBlocks('message', blocks), ...inAttachments];
  if (problems.length > 0) return { refused: no('invalid_blocks', problems) };
  const text = words(args, 'text');
  if (text.length > mostText) return { refused: no('msg_too_long') };
  // checkBlocks has seen that they are blocks.
  const known = blocks as KnownBlock[];
  const empty = text === '' && known.length === 0 && attachments.data.length === 0;
  if (empty && asJson(args.files) === undefined) return { refused: no('no_text') };
  const metadata = asJson(args.metadata);
  return {
    content: {
      text,
      blocks: named(known),
      ...(attachments.data.length > 0 && { attachments: attachments.data }),
      ...(metadata !== undefined && { metadata }),
    },
  };
}
