import type { WebClient } from '@slack/web-api';
import type { Log } from '../../src/core/ports.ts';
import type { Run } from '../../src/core/run.ts';
import type { Shown } from '../../src/core/shown.ts';
import { diffView, planLines } from './blocks/diff-text.ts';
import { type MessageView, preformatted, spokenText } from './blocks/elements.ts';
import { upload } from './whole-file.ts';

/**
 * Whoever approves a plan can read all of it. What its message has no room for is a file in the thread; where Slack takes no
 * file, it is replies, one after the other.
 */

/** A reply has room for so many letters, and a thread for so many replies: after them it says where the rest is. */
const most = { letters: 2_700, replies: 40 };

/** The lines in portions; a line that is longer than a reply goes on in the next. */
function portionsOf(lines: readonly string[]): string[] {
  const short = lines.flatMap((line) => line.match(new RegExp(`.{1,${most.letters}}`, 'gsu')) ?? ['']);
  const portions: string[] = [];
  for (const line of short) {
    const last = portions.at(-1);
    if (last !== undefined && last.length + line.length < most.letters)
      portions[portions.length - 1] = `${last}\n${line}`;
    else portions.push(line);
  }
  return portions;
}

/** One reply of several; undefined after the last. */
function replyOf(run: Run, number: number): MessageView | undefined {
  const portions = portionsOf(planLines(run.plan ?? { changes: [], takesOver: [] }));
  const portion = portions[number];
  if (portion === undefined || number > most.replies) return undefined;
  const title = spokenText(`The whole plan of run ${run.id}, ${number + 1} of ${portions.length}`);
  if (number < most.replies) return { text: title, blocks: [preformatted(portion)] };
  const text = spokenText(`The rest is too long for Slack. All of it: GET /runs/${run.id} over REST.`);
  return { text, blocks: [preformatted(text)] };
}

type Deps = { client: WebClient; log: Log };

/**
 * Brings the whole plan into the thread. What it yields after each step remembers how far that got: whoever keeps it brings
 * nothing twice, whatever fails meanwhile.
 */
export async function* wholePlanTold({ client, log }: Deps, run: Run, shown: Shown): AsyncGenerator<Shown> {
  const { plan, id } = run;
  if (!plan || diffView(plan).isAll) return;
  const { digest } = plan;
  const { channel } = shown;
  const thread_ts = shown.thread ?? shown.ts;
  let told = shown.told?.digest === digest ? shown.told : undefined;
  if (!told) {
    const content = planLines(plan).join('\n');
    const file = { filename: `plan-${id}.txt`, title: `The whole plan of run ${id}`, content };
    const problem = await upload(client, file, { channel_id: channel, thread_ts });
    if (problem !== undefined) log.warn({ runId: id, problem }, 'Slack did not take a plan as a file');
    told = { digest, replies: 0, done: problem === undefined };
    yield { ...shown, told };
  }
  while (!told.done) {
    const reply = replyOf(run, told.replies);
    if (reply) await client.chat.postMessage({ channel, thread_ts, ...reply });
    told = { ...told, replies: told.replies + 1, done: reply === undefined };
    yield { ...shown, told };
  }
}
