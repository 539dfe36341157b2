import { expect, test } from 'vitest';
import { CheckJob, jobOutcome } from '../../src/core/check-job.ts';
import type { JsonObject } from '../../src/core/json.ts';

const job = (type: string, reason = ''): JsonObject => ({ status: { conditions: [{ type, status: 'True', reason }] } });
const going: JsonObject = { status: { active: 1 } };
const ended = (exitCode: number, conditions: JsonObject[] = []): JsonObject => ({
  status: { conditions, containerStatuses: [{ name: 'check', state: { terminated: { exitCode } } }] },
});
const waits = (reason: string, message: string): JsonObject => ({
  status: { containerStatuses: [{ name: 'check', state: { waiting: { reason, message } } }] },
});
const homeless: JsonObject = {
  status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' }] },
};
const evicted = ended(137, [{ type: 'DisruptionTarget', status: 'True' }]);

test.each<[string, JsonObject, JsonObject[], ReturnType<typeof jobOutcome>]>([
  ['a program that ended well', job('Complete'), [ended(0)], { kind: 'passed' }],
  ['one that ended badly', job('Failed', 'BackoffLimitExceeded'), [ended(3)], { kind: 'failed' }],
  ['one that goes on', going, [], { kind: 'running' }],
  ['its time over', job('Failed', 'DeadlineExceeded'), [], { kind: 'unknown', why: 'was not done in time' }],
  ['its node gone', job('Failed'), [evicted], { kind: 'unknown', why: 'ended before it said anything' }],
  ['its pods gone', job('Failed'), [], { kind: 'unknown', why: 'ended before it said anything' }],
  ['no node', going, [homeless], { kind: 'unknown', why: 'has no node to run on (0/1 nodes)' }],
  [
    'no image',
    going,
    [waits('ImagePullBackOff', 'no such tag')],
    { kind: 'unknown', why: 'can’t start (no such tag)' },
  ],
  ['a pod about to start', going, [waits('ContainerCreating', '')], { kind: 'running' }],
])('only a program that ended says yes or no: %s', (_, object, pods, outcome) => {
  expect(jobOutcome(object, pods)).toEqual(outcome);
});

test('it takes an image or a CronJob, and not both', () => {
  expect(CheckJob.parse({ image: 'r/check:1', limit: '2m' })).toMatchObject({ limit: 120_000, env: {} });
  for (const wrong of [
    {},
    { image: 'r/check:1', cronJob: 'nightly' },
    { cronJob: '../x' },
    { image: 'i', env: { 'a-b': '' } },
  ])
    expect(CheckJob.safeParse(wrong).success).toBe(false);
});
