import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { after } from '../../src/core/within.ts';
import { answerLine } from './ask.ts';
import type { ReadAttached } from './attached.ts';
import { harmless, type MessageView } from './blocks/elements.ts';
import type { Deps } from './deps.ts';
import { faultView } from './fault-view.ts';
import { usageOf } from './grammar.ts';

/** For all files of a mention together. */
const filesMs = 20_000;
/** Whoever did not get through with a mention in this time is dead. */
const againMs = 45_000;
/** What could not be answered for so long is let go. */
const longestMs = 10 * 60_000;
const rememberMs = 60 * 60_000;
const lookMs = 10_000;

/** A mention as it has to be kept to be answered later. */
const Mention = z.object({
  key: z.string(),
  at: z.number(),
  team: z.string(),
  channel: z.string(),
  user: z.string(),
  text: z.string(),
  thread: z.string().optional(),
  files: z.array(z.unknown()),
});
export type Mention = z.output<typeof Mention>;

type Room = { deps: Deps; client: WebClient; readAttached: ReadAttached };

async function answerMention({ deps, client, readAttached }: Room, mention: Mention): Promise<void> {
  const { key, channel, user, team, text, thread, files: attached } = mention;
  const reply = ({ text, blocks }: MessageView) =>
    client.chat.postEphemeral({ channel, user, text, blocks, ...(thread !== undefined && { thread_ts: thread }) });
  const files = () => readAttached(attached, after(filesMs));
  try {
    // It may have been kept a while: whoever asked has to be a member still, before their files are fetched.
    const member = await deps.members.again({ team, user });
    const line = { command: '', text, key, ...(attached.length > 0 && { files }) };
    const answer = await answerLine(deps, { member, channel }, line);
    if (answer.kind === 'help') await reply(answer.view);
    if (answer.kind === 'told') await reply({ text: answer.text, blocks: [] });
    // A mention brings no trigger, and so no form: the usage has to do.
    if (answer.kind === 'form') await reply({ text: harmless(`Usage: ${usageOf(answer.operation)}`), blocks: [] });
  } catch (thrown) {
    await reply(faultView(thrown, deps.engine.redact));
  }
}

/**
 * Answers mentions, each once however often Slack delivers it. One with files is kept first: Slack has been told by then
 * that it arrived, and does not send it again if this process dies while it fetches them.
 */
export function createMentions(room: Room) {
  const { store, now } = room.deps.engine;
  const kept = async (mention: Mention) => {
    await answerMention(room, mention);
    await store.inbox.drop(mention.key);
  };
  /** What others left behind. */
  const again = async () => {
    for (const { id, record } of await store.inbox.due(againMs)) {
      const mention = Mention.safeParse(JSON.parse(record)).data;
      if (mention && now() - mention.at < longestMs) await kept(mention);
      else await store.inbox.drop(id);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    take: async (mention: Mention): Promise<void> => {
      const { key, files } = mention;
      if (files.length === 0) {
        if (await store.first(key, rememberMs)) await answerMention(room, mention);
      } else if (await store.inbox.put(key, JSON.stringify(mention), { againMs, rememberMs })) await kept(mention);
    },
    again,
    start: () => {
      const look = () =>
        void again().catch((problem: unknown) => room.deps.log.warn({ problem }, 'mentions are left over'));
      timer = setInterval(look, lookMs).unref();
    },
    stop: () => clearInterval(timer),
  };
}
