import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { lostRuns, recordedRun, runAnnotation } from '../../src/core/lost-run.ts';

const now = Date.parse('2026-11-25T12:00:00Z');
const daysAgo = (days: number) => new Date(now - days * 24 * 3_600_000).toISOString();
const applied = (time: string, manager = 'shipmate') => ({ manager, operation: 'Apply', time });
const object = (annotations: JsonObject, managedFields: JsonObject[]): JsonObject => ({
  metadata: { annotations, managedFields },
});
const byRun = { [runAnnotation]: 'k7m2p9qa' };

describe('the store must still know the run that an object names', () => {
  test.each([
    ['just now', 0],
    ['28 days ago', 28],
    ['by a clock that is ahead', -1],
  ])('applied %s', (_, days) => {
    const managers = [applied(daysAgo(1), 'kubectl'), applied(daysAgo(90)), applied(daysAgo(days))];
    expect(recordedRun(object(byRun, managers), now)).toBe('k7m2p9qa');
  });

  test.each([
    ['when it may have run out since', object(byRun, [applied(daysAgo(31))])],
    ['within the margin', object(byRun, [applied(daysAgo(29.5))])],
    ['when somebody copied the annotation', object(byRun, [applied(daysAgo(1), 'kubectl')])],
    ['when no run is named', object({}, [applied(daysAgo(1))])],
    ['when the time is garbage', object(byRun, [applied('yesterday')])],
    ['when nobody says who changed it', { metadata: { annotations: byRun } }],
    ['of an object without metadata', {}],
  ])('but not %s', (_, live) => {
    expect(recordedRun(live, now)).toBeUndefined();
  });
});

test('a report tells which runs were lost', () => {
  const app = { app: 'web', env: 'staging', replicas: 1, ready: 1, updated: 1 };
  expect(lostRuns({ kind: 'status', apps: [app, { ...app, lostRun: 'k7m2p9qa' }] })).toEqual(['k7m2p9qa']);
  expect(lostRuns({ kind: 'unchanged' })).toEqual([]);
});
