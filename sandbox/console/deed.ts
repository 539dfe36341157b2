import { z } from 'zod';
import type { Delivered } from '../../testbed/slack/delivery.ts';
import type { FakeSlack } from '../../testbed/slack/fake-slack.ts';
import type { KeptAlive } from '../kept-alive.ts';
import type { Outcome } from './wire.ts';

const who = { as: z.string() };

/** Something that somebody does on the page: in Slack all but the last. */
export const Deed = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('say'),
    ...who,
    channel: z.string(),
    text: z.string(),
    thread: z.string().optional(),
    files: z
      .array(z.object({ name: z.string().min(1), base64: z.base64() }))
      .max(10)
      .default([]),
  }),
  z.object({ kind: z.literal('command'), ...who, channel: z.string(), line: z.string().min(1) }),
  z.object({
    kind: z.literal('click'),
    ...who,
    channel: z.string(),
    ts: z.string(),
    action: z.string(),
    value: z.string().optional(),
  }),
  z.object({ kind: z.literal('submit'), ...who, view: z.string(), values: z.record(z.string(), z.string()) }),
  z.object({ kind: z.literal('dismiss'), ...who, view: z.string() }),
  z.object({ kind: z.literal('kill-shipmate'), ...who }),
]);
export type Deed = z.output<typeof Deed>;
/** As the page sends it. */
export type SentDeed = z.input<typeof Deed>;

const Errors = z.looseObject({ response_action: z.literal('errors'), errors: z.record(z.string(), z.string()) });

function outcomeOf({ status, late, body }: Delivered): Outcome {
  const errors = Errors.safeParse(body).data?.errors;
  return { status, late, ...(errors && { errors }) };
}

const nothingToAnswer: Outcome = { status: 200, late: false };

/** Where deeds are done. */
export type Scene = {
  slack: FakeSlack;
  /** Only where whoever opened the console keeps it running: no other program is ended from a page. */
  shipmate?: Pick<KeptAlive, 'kill'> | undefined;
};

/** As a crash would, or the kernel when memory runs out: nothing of it is asked first. */
async function killShipmate({ shipmate }: Scene): Promise<Outcome> {
  if (!shipmate) throw new Error('This console keeps no Shipmate running, so it kills none.');
  return (await shipmate.kill('SIGKILL')) ? nothingToAnswer : { status: 409, late: false };
}

/**
 * Does it in the fake Slack, which tells the app.
 * @throws Error where the message or the view is no longer there
 */
export async function perform(scene: Scene, deed: Deed): Promise<Outcome> {
  const { slack } = scene;
  switch (deed.kind) {
    case 'say': {
      const thread = deed.thread === undefined ? {} : { thread: deed.thread };
      const files = deed.files.map(({ name, base64 }) => ({ name, content: Buffer.from(base64, 'base64') }));
      const attached = files.length === 0 ? {} : { files };
      const [heard] = await slack.say(deed.as, deed.channel, deed.text, { ...thread, ...attached });
      return heard ? outcomeOf(heard) : nothingToAnswer;
    }
    case 'command':
      return outcomeOf(await slack.command(deed.as, deed.channel, deed.line));
    case 'click': {
      const message = slack.space.messages.get(`${deed.channel}/${deed.ts}`);
      if (!message) throw new Error('The message is gone.');
      const value = deed.value === undefined ? {} : { value: deed.value };
      const [taken] = await slack.click(deed.as, message, deed.action, value);
      return taken ? outcomeOf(taken) : nothingToAnswer;
    }
    case 'submit':
      return outcomeOf(await slack.submit(deed.as, deed.view, deed.values));
    case 'dismiss':
      await slack.dismiss(deed.as, deed.view);
      return nothingToAnswer;
    case 'kill-shipmate':
      return killShipmate(scene);
    default:
      return deed satisfies never;
  }
}
