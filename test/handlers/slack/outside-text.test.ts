import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alertMessage } from '../../../handlers/slack/blocks/alert-message.ts';
import type { MessageView } from '../../../handlers/slack/blocks/elements.ts';
import { explanationMessage } from '../../../handlers/slack/blocks/explanation-message.ts';
import { runMessage } from '../../../handlers/slack/blocks/run-message.ts';
import { statusMessage } from '../../../handlers/slack/blocks/status-message.ts';
import { tableMessage } from '../../../handlers/slack/blocks/table-message.ts';
import { textMessage } from '../../../handlers/slack/blocks/text-message.ts';
import { threadReply } from '../../../handlers/slack/blocks/thread-reply.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import { faultView } from '../../../handlers/slack/fault-view.ts';
import { refusalText } from '../../../handlers/slack/refusal-text.ts';
import { post } from '../../../handlers/slack/send.ts';
import { AlertGroup } from '../../../src/core/alert.ts';
import { fault } from '../../../src/core/errors.ts';
import { Report } from '../../../src/core/report.ts';
import { Run, RunEvent, RunState } from '../../../src/core/run.ts';
import { Settings } from '../../../src/core/settings.ts';
import { startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { quiet } from '../../support/engine.ts';

/** What others write: mentions of all kinds, links that hide where they lead, halves of them, and what makes markup of the rest. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<!channel>',
        '<!here|x>',
        '<!everyone>',
        '<@U0EVIL>',
        '<!subteam^S1>',
        '<#C1|x>',
        '<!date^1^{ago}|x>',
      ),
      fc.constantFrom('<https://evil.example|checkout is well>', '<mailto:a@b|c>', '<', '>', '&', '&lt;!channel&gt;'),
      fc.constantFrom('\u202e', '\u0007', '`', '*', '\n', '| ', '<!chan', 'nel>'),
      fc.string({ maxLength: 5 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''));

const out = 'OUTSIDE';
/** The same with what is outside replaced by what somebody wrote, wherever it stands. */
const written = <Value>(value: Value, by: string): Value =>
  JSON.parse(JSON.stringify(value), (_, each) => (typeof each === 'string' ? each.replaceAll(out, by) : each));

/** All that Slack reads as markup in a message. */
function markup(view: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(view, (key, value) => {
    if (value?.type === 'mrkdwn') found.push(value.text);
    if (key === 'text' && typeof value === 'string') found.push(value);
    return value?.type === 'plain_text' || value?.type === 'rich_text' || value?.type === 'raw_text'
      ? undefined
      : value;
  });
  return found;
}

/** Ours: the people of shipmate.yaml, and moments. All else that has a bracket is somebody else's. */
const ours = /<@U(ANA|BEN)>|<!date\^\d+\^\{[^<>|]*\|[^<>|]*>/g;
function expectHarmless(view: MessageView): void {
  for (const text of markup(view))
    expect(text.replace(ours, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|[a-z]{0,3}…)|\p{Bidi_Control}|(?![\t\n])\p{Cc}/u);
}

const alert = AlertGroup.parse({
  id: out,
  status: 'firing',
  app: out,
  env: out,
  severity: out,
  title: out,
  alerts: [{ fingerprint: out, status: 'firing', name: out, summary: out, startsAt: '' }],
  firstAt: 1,
  updatedAt: 1,
});

const settings = Settings.parse({
  apps: { web: { image: 'r/web' } },
  environments: { production: { namespace: 'p' } },
  people: { ana: { slack: 'UANA' }, ben: { slack: 'UBEN' } },
  roles: { engineers: ['ana', 'ben'] },
});

const trouble = { code: 'crash-loop', pod: out, detail: out, logs: [out] };
const replicas = { replicas: 3, ready: 0 };
const ana = { kind: 'slack', team: 'T1', user: 'UANA' };
const course = { strategy: 'canary', stages: [{ weight: 10, since: 1, until: 2 }] };
const explanation = {
  kind: 'explanation',
  app: out,
  env: out,
  state: 'trouble',
  code: out,
  headline: out,
  cause: out,
  remedy: out,
  command: out,
  logs: [out],
  others: [{ code: out, what: out }],
  evidence: [{ what: out, detail: out }],
  next: [{ label: out, operation: 'why', input: { what: out } }],
};
const reports = [
  { kind: 'rollout-failed', ...replicas, trouble },
  { kind: 'rollout-timed-out', ...replicas, trouble, seconds: 1 },
  { kind: 'steered', run: out, said: out },
  { kind: 'promoted', ...course, ...replicas, said: out },
  { kind: 'rolled-back', ...course, reason: 'regression', detail: out, said: out, trouble },
  { kind: 'rolled-back', ...course, reason: 'aborted', detail: out, by: ana },
  { kind: 'taken-back', app: out, why: out, aborted: true, apps: [], stays: [{ app: out, why: out }] },
  { kind: 'superseded', by: out },
  { kind: 'built', image: 'r/web:v1', digest: out, tag: out, seconds: 1 },
  { kind: 'build-failed', image: out, problem: out, log: out },
  { kind: 'locked', scope: `${out}@production`, reason: out, until: 1 },
  { kind: 'away', from: out, to: out, until: 1 },
  { kind: 'back', from: out },
  { kind: 'verdict', who: out, what: out, verdict: { kind: 'allow', rule: out }, terms: out },
  { kind: 'changed', objects: [out], note: out },
  { kind: 'text', title: out, text: out, note: out },
  { kind: 'table', title: out, columns: [out], rows: [[out]], note: out },
  explanation,
].map((report) => Report.parse(report));

const runOf = (change: object) =>
  Run.parse({
    id: out,
    version: 1,
    operation: 'deploy',
    input: { app: out, name: out },
    actor: { kind: 'token', subject: out },
    origin: { surface: 'rest' },
    site: { env: out, cluster: 'default', namespace: 'p', rolloutTimeoutSeconds: 60 },
    state: 'awaiting',
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 1_000_000,
    plan: {
      summary: out,
      changes: [{ path: out, from: out, to: out }],
      takesOver: [{ field: out, manager: out }],
      warnings: [out],
      digest: 'd'.repeat(64),
    },
    verdict: { kind: 'needs-approval', rule: out, approvals: 1, approvers: [out], required: [out], expireMinutes: 60 },
    decisions: [{ actor: { kind: 'token', subject: out }, kind: 'reject', digest: 'd', at: 5, reason: out }],
    breakGlass: { reason: out },
    cancelled: { actor: ana, reason: out, at: 3 },
    checklist: ['apply'],
    steps: { apply: { state: 'started', startedAt: 2, note: out } },
    fault: { code: 'INTERNAL', message: out, hint: out },
    ...change,
  });

const always = (property: (text: string) => void) => fc.assert(fc.property(hostile, property), { numRuns: 60 });

describe('what others wrote calls nobody and leads nowhere, in the text of a message as little as in its blocks', () => {
  test('the title of an alert is `<!channel>`', () => {
    const { text } = alertMessage(written(alert, '<!channel>'));
    expect(text).toBe('&lt;!CHANNEL&gt; &lt;!channel&gt; – &lt;!channel&gt; in &lt;!channel&gt;: 1 firing');
  });

  test('alerts', () => always((by) => expectHarmless(alertMessage(written(alert, by)))));

  test.each(RunState.options)('a run that is %s', (state) => {
    const events = (['state', 'plan', 'decision', 'log', 'call'] as const).map((kind) =>
      RunEvent.parse({ at: 1, kind, text: out, actor: { kind: 'token', subject: out } }),
    );
    always((by) => {
      const run = written(runOf({ state }), by);
      expectHarmless(runMessage(run, settings));
      for (const some of [events, events.slice(3, 4)]) {
        const reply = threadReply(run, written(some, by), settings);
        if (reply) expectHarmless(reply);
      }
    });
  });

  test.each(reports.map((report) => [report.kind, report] as const))('a run that ended with %s', (_, report) => {
    const { fault: _fault, ...run } = runOf({ state: 'finished' });
    const events = [RunEvent.parse({ at: 1, kind: 'state', text: 'finished' })];
    always((by) => {
      const ended = written({ ...run, report }, by);
      expectHarmless(runMessage(ended, settings));
      const reply = threadReply(ended, events, settings);
      if (reply) expectHarmless(reply);
      const told = written(report, by);
      if (told.kind === 'text') expectHarmless(textMessage(told, by));
      if (told.kind === 'table') expectHarmless(tableMessage(told));
      if (told.kind === 'explanation') expectHarmless(explanationMessage(told, 1));
    });
  });

  test('what runs where', () => {
    const app = { app: out, env: out, image: out, ...replicas, updated: 0 };
    const status = Report.parse({
      kind: 'status',
      apps: [
        { ...app, trouble },
        { ...app, held: out, lostRun: out },
        { ...app, problem: out },
      ],
    });
    always((by) => {
      const told = written(status, by);
      if (told.kind === 'status') expectHarmless(statusMessage(told, 1));
    });
  });

  test('faults and refusals', () => {
    always((by) => {
      expectHarmless(faultView(fault('BAD_COMMAND', { problem: by, usage: by }), (text) => text));
      expectHarmless(faultView(new Error(by), (text) => text));
      const run = written(runOf({}), by);
      for (const reason of ['own-request', 'not-an-approver', 'stale-plan'] as const)
        expectHarmless({ text: refusalText({ kind: 'refused', reason }, run, settings), blocks: [] });
    });
  });
});

test('where Slack does not take the blocks, the plain text that it gets instead calls nobody either', async () => {
  const slack = await startFakeSlack({ signingSecret: 'x', botToken: 'xoxb-1' });
  const client = createSlackClient({ token: 'xoxb-1', apiUrl: slack.apiUrl });
  slack.fault('chat.postMessage', { times: 1, error: 'invalid_blocks' });
  await post({ client, log: quiet }, 'C0SHIP', alertMessage(written(alert, '<!channel>')));
  const [shown] = slack.messages('C0SHIP');
  expect(shown?.blocks).toHaveLength(1);
  for (const text of shown ? markup(shown) : []) expect(text).not.toMatch(/[<>]/);
  await slack.close();
});

test('what is all ampersands does not grow beyond what Slack takes', () => {
  const { text } = alertMessage(written(alert, '&'.repeat(30_000)));
  expect(text.length).toBeLessThan(16_000);
});
