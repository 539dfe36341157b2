import { describe, expect, test } from 'vitest';
import { alertMessage } from '../../../handlers/slack/blocks/alert-message.ts';
import { runMessage } from '../../../handlers/slack/blocks/run-message.ts';
import { statusMessage } from '../../../handlers/slack/blocks/status-message.ts';
import { threadReply } from '../../../handlers/slack/blocks/thread-reply.ts';
import { helpView } from '../../../handlers/slack/help.ts';
import { operationModal } from '../../../handlers/slack/modal.ts';
import type { Report } from '../../../src/core/report.ts';
import { Run, RunState } from '../../../src/core/run.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { checkBlocks } from '../../../testbed/slack/check-blocks.ts';
import { testSettings } from '../../support/engine.ts';

const nasty = `<!channel> <@U1> *bold* \`code\` & \u202eevil\u0007 ${'long '.repeat(2_000)}`;
const trouble = {
  code: 'crash-loop' as const,
  pod: 'web-1',
  detail: nasty,
  logs: Array.from({ length: 50 }, () => nasty),
};
const reports: Report[] = [
  { kind: 'unchanged' },
  { kind: 'rolled-out', replicas: 3, ready: 3, seconds: 1.5 },
  { kind: 'rollout-failed', replicas: 3, ready: 0, trouble },
  { kind: 'rollout-timed-out', replicas: 3, ready: 0, trouble, seconds: 600 },
  { kind: 'superseded', by: 'r2' },
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

test('the thread says who decided', () => {
  const run = runOf({
    state: 'running',
    decisions: [{ actor: { kind: 'slack', team: 'T1', user: 'UBEN' }, kind: 'approve', digest: 'd', at: 5 }],
  });
  const reply = threadReply(run, [{ at: 5, kind: 'decision', text: 'approved' }], testSettings);
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
  const apps = Array.from({ length: 80 }, (_, i) => ({ ...line, env: `env${i}`, image: 'web:v1' }));
  expect(checkBlocks('message', statusMessage({ kind: 'status', apps }, 1).blocks)).toEqual([]);
  expect(checkBlocks('message', helpView(catalogue).blocks)).toEqual([]);
  for (const operation of catalogue.values()) {
    expect(checkBlocks('message', helpView(catalogue, operation).blocks)).toEqual([]);
    expect(checkBlocks('modal', operationModal(operation, testSettings, 'C1').blocks)).toEqual([]);
  }
});
