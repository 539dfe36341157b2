import type { WebClient } from '@slack/web-api';
import type { Announced } from '../../src/core/notices.ts';
import type { Log } from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import type { Settings } from '../../src/core/settings.ts';
import type { Shown } from '../../src/core/shown.ts';
import { afterFailure } from './after-failure.ts';
import type { MessageView } from './blocks/elements.ts';
import { explanationMessage } from './blocks/explanation-message.ts';
import { runMessage } from './blocks/run-message.ts';
import { statusMessage } from './blocks/status-message.ts';
import { tableMessage } from './blocks/table-message.ts';
import { textMessage } from './blocks/text-message.ts';
import { orInPerson, send } from './send.ts';
import { uploadTo, wholeOf } from './whole-file.ts';

type Deps = { client: WebClient; settings: () => Settings; log: Log };

/** Stands for “the file is there, and the answer not yet”. */
const filed = 'filed';

function answerView(run: Run, settings: Settings, more?: string): MessageView {
  if (run.report?.kind === 'status') return statusMessage(run.report, run.updatedAt);
  if (run.report?.kind === 'table') return tableMessage(run.report);
  if (run.report?.kind === 'explanation') return explanationMessage(run.report, run.updatedAt);
  if (run.report?.kind === 'text') return textMessage(run.report, more);
  return runMessage(run, settings);
}

/** What is too long for an answer is a file, in the conversation of the two: a word on where it is, or why it is nowhere. */
async function fileInPerson({ client, log }: Deps, run: Run, user: string): Promise<string | undefined> {
  const whole = wholeOf(run.report);
  if (!whole) return undefined;
  const problem = await uploadTo(client, whole, user);
  if (problem === undefined) return 'all of it is a file in our direct messages';
  log.warn({ runId: run.id, problem }, 'Slack did not take a file');
  return problem;
}

/** The answer to a question goes to the one who asked, once. */
export async function whisper(deps: Deps, run: Run, shown: Shown | undefined): Promise<Announced> {
  if (run.origin.surface !== 'slack' || !isOver(run.state) || (shown && shown.hash !== filed))
    return { kind: 'nothing' };
  const { channel, user } = run.origin;
  const nowhere = { channel, ts: '', cursor: '' };
  // A second try must not bring the file a second time; its word is kept where a message would have its cursor.
  const more = shown ? shown.cursor || undefined : await fileInPerson(deps, run, user);
  const view = answerView(run, deps.settings(), more);
  try {
    await orInPerson(deps, user, view, () =>
      send(deps, view, async (as) => (await deps.client.chat.postEphemeral({ channel, user, ...as })).message_ts ?? ''),
    );
  } catch (thrown) {
    if (more === undefined) throw thrown;
    return afterFailure(deps, { kind: 'run', id: run.id }, thrown, { ...nowhere, hash: filed, cursor: more });
  }
  return { kind: 'shown', shown: { ...nowhere, hash: '' } };
}
