import { describe, expect, test } from 'vitest';
import { viewOf } from '../../../handlers/http/run-view.ts';
import { alertMessage } from '../../../handlers/slack/blocks/alert-message.ts';
import { explanationMessage } from '../../../handlers/slack/blocks/explanation-message.ts';
import { runMessage } from '../../../handlers/slack/blocks/run-message.ts';
import { statusMessage } from '../../../handlers/slack/blocks/status-message.ts';
import { tableMessage } from '../../../handlers/slack/blocks/table-message.ts';
import { threadReply } from '../../../handlers/slack/blocks/thread-reply.ts';
import { helpView, operationHelp, subjectHelp, subjectsOf } from '../../../handlers/slack/help.ts';
import { operationModal } from '../../../handlers/slack/modal.ts';
import type { Report } from '../../../src/core/report.ts';
import { Run, RunState } from '../../../src/core/run.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { checkBlocks } from '../../../testbed/slack/check-blocks.ts';
import { slack, testSettings } from '../../support/engine.ts';

const nasty = `<!channel> <@U1> *bold* \`code\` & \u202eevil\u0007 ${'long '.repeat(2_000)}`;
const trouble = {
  code: 'crash-loop' as const,
  pod: 'web-1',
  detail: nasty,
  logs: Array.from({ length: 50 }, () => nasty),
};
const explanation: Extract<Report, { kind: 'explanation' }> = {
  kind: 'explanation',
  app: 'web',
  env: 'staging',
  state: 'trouble',
  code: 'crash',
  headline: nasty,
  cause: nasty,
  remedy: nasty,
  command: nasty,
  logs: trouble.logs,
  others: Array.from({ length: 30 }, () => ({ code: 'x', what: nasty })),
  evidence: Array.from({ length: 30 }, (_, index) => ({ ...(index % 2 && { at: index }), what: nasty, detail: nasty })),
  next: [
    { label: 'Roll back', operation: 'rollback', input: { app: 'web', env: 'staging' } },
    { label: nasty, operation: 'why', input: { what: 'web', env: 'staging' } },
  ],
};
const stages = Array.from({ length: 60 }, (_, n) => ({ weight: n, since: n * 60_000, until: (n + 1) * 60_000 }));
const reports: Report[] = [
  { kind: 'unchanged' },
  { kind: 'rolled-out', replicas: 3, ready: 3, seconds: 1.5 },
  { kind: 'rollout-failed', replicas: 3, ready: 0, trouble },
  { kind: 'rollout-timed-out', replicas: 3, ready: 0, trouble, seconds: 600 },
  { kind: 'superseded', by: 'r2' },
  { kind: 'promoted', strategy: 'canary', replicas: 4, ready: 4, stages, said: nasty },
  { kind: 'rolled-back', strategy: 'canary', reason: 'regression', detail: nasty, stages, said: nasty },
  { kind: 'rolled-back', strategy: 'canary', reason: 'aborted', detail: nasty, by: slack('UBEN'), stages },
  { kind: 'rolled-back', strategy: 'blue-green', reason: 'broken', detail: nasty, trouble, stages: [] },
  { kind: 'locked', scope: 'web@production', reason: nasty, until: 1 },
  { kind: 'unlocked', scope: '*@*' },
  { kind: 'turn', end: 'unclaimed' },
  { kind: 'away', from: nasty, to: nasty, until: 1 },
  { kind: 'back', from: nasty },
  { kind: 'verdict', who: nasty, what: nasty, verdict: { kind: 'allow', rule: nasty }, terms: nasty },
  {
    kind: 'table',
    title: nasty,
    columns: ['a', 'b'],
    rows: Array.from({ length: 300 }, () => [nasty, '']),
    note: nasty,
  },
  explanation,
  { kind: 'built', image: '127.0.0.1:5000/web:v1', digest: 'sha256:1', tag: 'v1', seconds: 2 },
];

function runOf(change: Partial<Run>): Run {
  return Run.parse({
    id: 'abc23456',
    version: 3,
    operation: 'deploy',
    input: { app: 'web', env: 'production', tag: 'v1' },
    actor: { kind: 'token', subject: nasty },
    origin: { surface: 'rest' },
    place: {
      app: 'web',
      env: 'production',
      cluster: 'default',
      namespace: 'p',
      workload: 'web',
      container: 'web',
      repository: 'r/web',
      rolloutTimeoutSeconds: 60,
    },
    state: 'requested',
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 1_000_000,
    plan: {
      summary: nasty,
      changes: Array.from({ length: 500 }, (_, i) => ({ path: `spec.field${i}`, from: nasty, to: nasty })),
      takesOver: Array.from({ length: 100 }, () => ({ field: nasty, manager: nasty })),
      digest: 'd'.repeat(64),
    },
    verdict: { kind: 'needs-approval', rule: nasty, approvals: 1, approvers: ['engineers'], expireMinutes: 60 },
    decisions: [
      { actor: { kind: 'slack', team: 'T1', user: 'UBEN' }, kind: 'reject', digest: 'd', at: 5, reason: nasty },
    ],
    checklist: ['apply', 'settle'],
    steps: {
      apply: { state: 'done', startedAt: 1, endedAt: 2, note: nasty },
      settle: { state: 'started', startedAt: 2, note: nasty },
    },
    ...change,
  });
}

const unpinged = (blocks: unknown) => {
  const said = JSON.stringify(blocks);
  // Inside preformatted and plain text Slack reads no markup; in mrkdwn everything foreign must be escaped.
  const mrkdwn = [...said.matchAll(/"type":"mrkdwn","text":"((?:[^"\\]|\\.)*)"/g)]
    .map(([, text = '']) => text)
    .join('\n');
  expect(mrkdwn).not.toContain('<!channel>');
  expect(mrkdwn).not.toContain('<@U1>');
  expect(said).not.toMatch(/\\u202e|\u202e|\\u0007/);
};

describe('whatever a run holds, Slack takes its message, and nothing in it pings', () => {
  test.each(RunState.options)('%s', (state) => {
    const { blocks, text } = runMessage(runOf({ state }), testSettings);
    expect(checkBlocks('message', blocks)).toEqual([]);
    expect(text).toContain('Deploy web to production');
    unpinged(blocks);
  });
  test.each(reports)('$kind', (report) => {
    const { blocks } = runMessage(runOf({ state: 'finished', report }), testSettings);
    expect(checkBlocks('message', blocks)).toEqual([]);
    unpinged(blocks);
  });
  test('a fault', () => {
    const fault = { code: 'INTERNAL', message: nasty, hint: nasty };
    const { blocks } = runMessage(runOf({ state: 'failed', fault }), testSettings);
    expect(checkBlocks('message', blocks)).toEqual([]);
    unpinged(blocks);
  });
  test('its thread', () => {
    const events = Array.from({ length: 200 }, () => ({ at: 1, kind: 'log' as const, text: nasty }));
    const reply = threadReply(
      runOf({ state: 'failed' }),
      [...events, { at: 1, kind: 'state', text: 'failed' }],
      testSettings,
    );
    expect(checkBlocks('message', reply?.blocks)).toEqual([]);
    unpinged(reply?.blocks);
  });
});

describe('what is asked of people', () => {
  const step = {
    state: 'waiting' as const,
    startedAt: 1,
    until: 9,
    asks: { of: 'requester' as const, choices: ['go', '<b>back'] },
  };
  const actionsOf = (run: Run) =>
    JSON.stringify(runMessage(run, testSettings).blocks).match(/"action_id":"[a-z_0-9]+"/g) ?? [];

  test('a parked run’s question has a button for each answer, and calls whom it asks', () => {
    const run = runOf({ state: 'running', effect: 'change', steps: { settle: step } });
    expect(checkBlocks('message', runMessage(run, testSettings).blocks)).toEqual([]);
    expect(actionsOf(run)).toEqual([
      '"action_id":"run_answer_0"',
      '"action_id":"run_answer_1"',
      '"action_id":"run_stop"',
    ]);
    const reply = threadReply(run, [{ at: 1, kind: 'step', step: 'settle', text: 'waiting' }], testSettings);
    expect(reply?.text).toContain('waits for you');
  });

  test('a run in line shows its place and about how long it takes', () => {
    const { blocks } = runMessage(runOf({ state: 'queued' }), testSettings, {
      ahead: ['first', 'second'],
      waitMs: 600_000,
    });
    expect(JSON.stringify(blocks)).toContain('Number 2 in line, about 10 min; under way: run `first`.');
  });

  test.each(['requested', 'running'] as const)(
    'a run that waits for Slack says so, and can be stopped: %s',
    (state) => {
      const unidentified = { actor: slack('UBEN'), since: 1, tries: 3 };
      const run = runOf({ state, unidentified, effect: 'change', steps: {} });
      const { blocks } = runMessage(run, testSettings);
      expect(checkBlocks('message', blocks)).toEqual([]);
      expect(JSON.stringify(blocks)).toContain('Waits for Slack to say who <@UBEN> is.');
      expect(actionsOf(run)).toEqual(['"action_id":"run_stop"']);
      expect(viewOf(run, 'https://ship/1').waitsFor).toEqual({
        who: 'slack:T1/UBEN',
        since: '1970-01-01T00:00:00.001Z',
      });
      const over = runOf({ state: 'cancelled', unidentified });
      expect(JSON.stringify(runMessage(over, testSettings).blocks)).not.toContain('Waits for Slack');
      expect(viewOf(over, 'https://ship/1').waitsFor).toBeUndefined();
    },
  );

  test('a broken glass is loud until and after somebody reviewed it', () => {
    const breakGlass = {
      reason: nasty,
      reviewed: { actor: { kind: 'slack' as const, team: 'T1', user: 'UBEN' }, at: 1 },
    };
    const open = runOf({ state: 'finished', breakGlass: { reason: nasty } });
    expect(checkBlocks('message', runMessage(open, testSettings).blocks)).toEqual([]);
    unpinged(runMessage(open, testSettings).blocks);
    expect(actionsOf(open)).toContain('"action_id":"run_review"');
    expect(actionsOf(runOf({ state: 'finished', breakGlass }))).not.toContain('"action_id":"run_review"');
    expect(threadReply(open, [{ at: 1, kind: 'state', text: 'finished' }], testSettings)?.broadcast).toBe(true);
  });

  test('what was changed can be undone from its message', () => {
    const plan = runOf({}).plan;
    const undo = { operation: 'deploy', input: { app: 'web', env: 'production', image: 'web:v0' } };
    const run = runOf({
      state: 'finished',
      report: { kind: 'rolled-out', replicas: 1, ready: 1, seconds: 1 },
      plan: plan && { ...plan, undo },
    });
    expect(JSON.stringify(runMessage(run, testSettings).blocks)).toContain('"text":"Undo"');
  });

  test('a reminder calls the approvers', () => {
    const reply = threadReply(runOf({ state: 'awaiting' }), [{ at: 1, kind: 'call', text: 'reminded' }], testSettings);
    expect(reply?.text).toContain('still waits for you');
  });
});

test('tables fit, however large', () => {
  for (const report of reports)
    if (report.kind === 'table') {
      expect(checkBlocks('message', tableMessage(report).blocks)).toEqual([]);
      unpinged(tableMessage(report).blocks);
    }
});

test('of an environment where much runs as much is told as there is room, and how much is not', () => {
  const line = { env: 'staging', replicas: 1, ready: 1, updated: 1, image: 'registry.example.com/team/web:v1' };
  const told = (count: number) => {
    const apps = Array.from({ length: count }, (_, n) => ({ ...line, app: `shop-${n}` }));
    return statusMessage({ kind: 'status', apps }, 1).blocks;
  };
  expect(checkBlocks('message', told(60))).toEqual([]);
  expect(JSON.stringify(told(60))).toContain('*shop-59*');
  const long = JSON.stringify(told(500));
  expect(checkBlocks('message', told(500))).toEqual([]);
  const shown = long.split('*shop-').length - 1;
  expect(long).toContain(`… and ${500 - shown} more: /ship apps in staging`);
});

test('of a long table it is said how many lines are left out', () => {
  const table = (lines: number) => ({
    kind: 'table' as const,
    title: 'Apps',
    columns: ['App'],
    rows: Array.from({ length: lines }, (_, n) => [`app-${n}`]),
  });
  expect(JSON.stringify(tableMessage(table(99)))).not.toContain('more lines');
  expect(JSON.stringify(tableMessage(table(120)))).toContain('and 21 more lines');
});

test('an explanation is three lines, a command to paste, buttons, and what the others are', () => {
  const at = Date.parse('2026-11-25T02:00:00Z');
  const { blocks } = explanationMessage(explanation, at);
  expect(checkBlocks('message', blocks)).toEqual([]);
  unpinged(blocks);
  const said = {
    ...explanation,
    headline: 'web in staging: the image web:v9 does not exist (0 of 1 pods ready).',
    cause: 'The node says: web:v9: not found.',
    remedy: 'Deploy a tag that exists.',
    command: 'kubectl -n staging get pods',
    logs: [],
    others: [{ code: 'service-port', what: 'the Service web sends to a port that the pods don’t have' }],
    evidence: [{ at, what: 'ana asked for deploy', detail: 'web:v9 (failed, run r1)' }],
  };
  const message = explanationMessage(said, at);
  expect(message.blocks.map(({ type }) => type)).toEqual([
    'header',
    'section',
    'rich_text',
    'section',
    'actions',
    'context',
    'context',
  ]);
  expect(message.blocks[1]).toMatchObject({
    text: {
      text: ':red_circle: *web in staging: the image web:v9 does not exist (0 of 1 pods ready).*\nThe node says: web:v9: not found.\nDeploy a tag that exists.',
    },
  });
  const shown = JSON.stringify(message.blocks);
  for (const text of [
    'kubectl -n staging get pods',
    'One more thing is not right',
    'ana asked for deploy',
    'Roll back',
  ])
    expect(shown).toContain(text);
  expect(message.text).toContain('does not exist');
});

test('the thread says who decided', () => {
  const run = runOf({
    state: 'running',
    decisions: [{ actor: { kind: 'slack', team: 'T1', user: 'UBEN' }, kind: 'approve', digest: 'd', at: 5 }],
  });
  const reply = threadReply(run, [{ at: 5, kind: 'decision', text: 'approved', actor: slack('UBEN') }], testSettings);
  expect(JSON.stringify(reply?.blocks)).toContain('approved by ben');
});

test('buttons go with the state: Approve and Reject while it waits, nothing to decide after', () => {
  const actionsOf = (state: RunState) =>
    JSON.stringify(runMessage(runOf({ state }), testSettings).blocks).match(/run_(approve|reject)/g);
  expect(actionsOf('awaiting')).toEqual(['run_approve', 'run_reject']);
  for (const state of RunState.options.filter((other) => other !== 'awaiting')) expect(actionsOf(state)).toBeNull();
});

test('alerts, status, help and every form fit', () => {
  const alert = { fingerprint: 'f', status: 'firing' as const, name: nasty, summary: nasty, startsAt: '' };
  const group = {
    id: 'g',
    status: 'firing' as const,
    app: 'web',
    env: 'production',
    severity: nasty,
    title: nasty,
    alerts: Array.from({ length: 100 }, () => alert),
    firstAt: 1,
    updatedAt: 2,
  };
  const { blocks } = alertMessage(group);
  expect(checkBlocks('message', blocks)).toEqual([]);
  unpinged(blocks);
  const line = { app: 'web', env: 'production', image: nasty, replicas: 1, ready: 0, updated: 0, trouble };
  const apps = Array.from({ length: 80 }, (_, i) => ({
    ...line,
    env: `env${i}`,
    image: 'web:v1',
    lostRun: 'k7m2p9qa',
  }));
  const status = statusMessage({ kind: 'status', apps }, 1).blocks;
  expect(checkBlocks('message', status)).toEqual([]);
  expect(JSON.stringify(status)).toContain('by run `k7m2p9qa`, which Shipmate no longer knows: its');
  unpinged(status);
  expect(checkBlocks('message', helpView(catalogue).blocks)).toEqual([]);
  for (const subject of subjectsOf(catalogue).keys())
    expect(checkBlocks('message', subjectHelp(catalogue, subject).blocks)).toEqual([]);
  for (const operation of catalogue.values()) {
    expect(checkBlocks('message', operationHelp(operation).blocks)).toEqual([]);
    expect(checkBlocks('modal', operationModal(operation, testSettings, 'C1').blocks)).toEqual([]);
  }
});
