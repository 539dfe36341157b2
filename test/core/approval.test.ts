import { describe, expect, test } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import { cast } from '../../src/core/approval.ts';
import { Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';

const slack = (user: string): Actor => ({ kind: 'slack', team: 'T1', user });
const digest = 'd'.repeat(64);

const settings = Settings.parse({
  apps: {},
  environments: {},
  people: { ana: { slack: 'UANA', subject: 'ana@example.com' }, ben: { slack: 'UBEN' }, cho: { slack: 'UCHO' } },
  roles: { approvers: ['ana', 'ben', 'cho'] },
});

const needs = (approvals: number) => ({
  kind: 'needs-approval' as const,
  rule: 'r',
  approvals,
  approvers: ['approvers'],
  expireMinutes: 60,
  required: [],
  remindMinutes: 0,
});

const awaiting = (change: Partial<Run> = {}): Run =>
  Run.parse({
    id: 'r1',
    version: 2,
    operation: 'deploy',
    input: {},
    actor: slack('UANA'),
    origin: { surface: 'rest' },
    state: 'awaiting',
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 1_000,
    plan: { summary: '', changes: [], digest },
    verdict: needs(1),
    ...change,
  });

const vote = (actor: Actor, kind: 'approve' | 'reject' = 'approve') => ({ actor, kind, digest, at: 10 });

const token = (subject: string): Actor => ({ kind: 'token', subject });
const everybody = { ...needs(1), approvers: ['everyone'] };

describe('somebody who may be the requester under another identity', () => {
  test.each([
    ['asked in Slack, approved with a token, neither mapped', slack('UNOBODY'), token('nobody@example.com')],
    ['asked with a token, approved in Slack, neither mapped', token('nobody@example.com'), slack('UNOBODY')],
    ['only the requester is mapped', slack('UANA'), token('nobody@example.com')],
    ['only the approver is mapped', token('nobody@example.com'), slack('UBEN')],
    ['accounts of two workspaces', slack('UNOBODY'), { kind: 'slack' as const, team: 'T2', user: 'UOTHER' }],
  ])('does not approve: %s', (_, actor, by) => {
    const run = awaiting({ actor, verdict: everybody });
    expect(cast(settings, run, vote(by))).toEqual({ kind: 'refused', reason: 'not-told-apart', from: actor });
  });
  test.each([
    ['both mapped, to two people', slack('UBEN'), token('ana@example.com')],
    ['both of one workspace', slack('UNOBODY'), slack('UOTHER')],
    ['both with tokens of one issuer', token('ci'), token('nobody@example.com')],
    ['asked by a system, which is nobody', { kind: 'webhook' as const, source: 'harbor' }, slack('UOTHER')],
  ])('is not meant where they are told apart: %s', (_, actor, by) => {
    expect(cast(settings, awaiting({ actor, verdict: everybody }), vote(by))).toMatchObject({ kind: 'approved' });
  });
  test('does not count as a second approver', () => {
    const first = { actor: slack('UBEN'), kind: 'approve' as const, digest, at: 5 };
    const verdict = { ...needs(2), approvers: ['everyone'] };
    const run = awaiting({ actor: { kind: 'webhook', source: 'harbor' }, verdict, decisions: [first] });
    const second = cast(settings, run, vote(token('nobody@example.com')));
    expect(second).toEqual({ kind: 'refused', reason: 'not-told-apart', from: first.actor });
    expect(cast(settings, run, vote(slack('UCHO')))).toMatchObject({ kind: 'approved' });
  });
  test('may still reject', () => {
    const run = awaiting({ actor: token('nobody@example.com'), verdict: everybody });
    expect(cast(settings, run, vote(slack('UBEN'), 'reject'))).toMatchObject({ kind: 'rejected' });
  });
  test('is not stood in for', () => {
    // Ben is known by his Slack account alone: the token that asked may be his.
    const known = Settings.parse({
      ...settings,
      people: { ...settings.people, dan: { slack: 'UDAN', subject: 'dan@example.com' } },
    });
    const delegations = [{ from: 'ben', to: 'dan', until: 1_000 }];
    const asked = (actor: Actor) => cast(known, awaiting({ actor }), vote(token('dan@example.com')), delegations);
    expect(asked(token('somebody@example.com'))).toMatchObject({ reason: 'not-an-approver' });
    expect(asked(slack('UCHO'))).toMatchObject({ kind: 'approved' });
  });
});

describe('one word on a plan', () => {
  test('of an approver approves it', () => {
    expect(cast(settings, awaiting(), vote(slack('UBEN')))).toMatchObject({ kind: 'approved' });
  });
  test('of the requester never approves, under whatever identity', () => {
    const refused = { kind: 'refused', reason: 'own-request' };
    expect(cast(settings, awaiting(), vote(slack('UANA')))).toEqual(refused);
    expect(cast(settings, awaiting(), vote({ kind: 'token', subject: 'ana@example.com' }))).toEqual(refused);
  });
  test('of the requester may take the request back', () => {
    expect(cast(settings, awaiting(), vote(slack('UANA'), 'reject'))).toMatchObject({ kind: 'rejected' });
  });
  test('of somebody without the role counts for nothing', () => {
    expect(cast(settings, awaiting(), vote(slack('UXXX')))).toEqual({ kind: 'refused', reason: 'not-an-approver' });
    const webhook: Actor = { kind: 'webhook', source: 'x' };
    expect(cast(settings, awaiting(), vote(webhook, 'reject'))).toEqual({ kind: 'refused', reason: 'not-an-approver' });
  });
  test.each(['', 'd'.repeat(11), `e${digest.slice(1)}`, `${digest}d`])('on the digest “%s” is stale', (other) => {
    expect(cast(settings, awaiting(), { ...vote(slack('UBEN')), digest: other })).toEqual({
      kind: 'refused',
      reason: 'stale-plan',
    });
  });
  test('after the expiry comes too late', () => {
    expect(cast(settings, awaiting(), { ...vote(slack('UBEN')), at: 1_000 })).toEqual({
      kind: 'refused',
      reason: 'expired',
    });
  });
  test('on what is decided says by whom', () => {
    const by = { actor: slack('UBEN'), kind: 'approve' as const, digest, at: 5 };
    expect(cast(settings, awaiting({ state: 'running', decisions: [by] }), vote(slack('UCHO')))).toEqual({
      kind: 'refused',
      reason: 'already-decided',
      by,
    });
  });
  test('counts towards two where two are needed, and only once a person', () => {
    const two = needs(2);
    const first = cast(settings, awaiting({ verdict: two }), vote(slack('UBEN')));
    expect(first).toMatchObject({ kind: 'counted', missing: 1 });
    const decisions = first.kind === 'counted' ? [first.decision] : [];
    expect(cast(settings, awaiting({ verdict: two, decisions }), vote(slack('UBEN')))).toMatchObject({
      reason: 'already-voted',
    });
    expect(cast(settings, awaiting({ verdict: two, decisions }), vote(slack('UCHO')))).toMatchObject({
      kind: 'approved',
    });
  });
  test('given for an earlier plan does not count for this one', () => {
    const two = needs(2);
    const old = { actor: slack('UCHO'), kind: 'approve' as const, digest: 'f'.repeat(64), at: 5 };
    expect(cast(settings, awaiting({ verdict: two, decisions: [old] }), vote(slack('UBEN')))).toMatchObject({
      kind: 'counted',
    });
  });
});
