import { randomBytes } from 'node:crypto';
import { type Args, asJson, no } from './answers.ts';
import { contentOf } from './message-content.ts';
import { botUser, type Message, type Workspace } from './workspace.ts';

const uses = 5;
const livesMs = 30 * 60_000;

/** Whom an answer goes to, and the message whose button was clicked. */
type ResponseTarget = { user: string; channel: string; original?: Message };

export type ResponseUrls = {
  /** A new id, for the last part of the URL. */
  make(target: ResponseTarget): string;
  /** Shows what the app sent there; a status and a body as Slack answers. */
  answer(id: string, body: Args): { status: number; body: unknown };
};

const still = (space: Workspace, { channel, ts }: Message) => space.messages.get(`${channel}/${ts}`);

function show(
  space: Workspace,
  { user, channel, original }: ResponseTarget,
  body: Args,
): { status: number; body: unknown } {
  const there = original && still(space, original);
  if (asJson(body.delete_original) === true) {
    if (there) space.remove(there.channel, there.ts);
    return { status: 200, body: { ok: true } };
  }
  const read = contentOf(body);
  if ('refused' in read) return { status: 400, body: read.refused };
  if (asJson(body.replace_original) === true && there) {
    space.put({ ...there, ...read.content, edited: space.nextTs() });
    return { status: 200, body: { ok: true } };
  }
  const thread = typeof body.thread_ts === 'string' ? body.thread_ts : undefined;
  const onlyFor = body.response_type === 'in_channel' ? {} : { onlyFor: user };
  space.put({ ts: space.nextTs(), channel, user: botUser, ...read.content, thread, ...onlyFor });
  return { status: 200, body: { ok: true } };
}

/** A response_url takes five answers in thirty minutes. */
export function createResponseUrls(space: Workspace): ResponseUrls {
  const known = new Map<string, ResponseTarget & { left: number; until: number }>();
  return {
    make: (target) => {
      const id = randomBytes(12).toString('hex');
      known.set(id, { ...target, left: uses, until: Date.now() + livesMs });
      return id;
    },
    answer: (id, body) => {
      const target = known.get(id);
      if (!target || Date.now() > target.until) return { status: 404, body: no('expired_url') };
      if (target.left === 0) return { status: 404, body: no('used_url') };
      target.left -= 1;
      return show(space, target, body);
    },
  };
}
