import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { isUnheard, newestReplicaSet } from '../../src/core/observed.ts';

const template = (image: string, memory = '1Gi', labels: JsonObject = {}): JsonObject => ({
  metadata: { labels: { app: 'web', ...labels } },
  spec: { containers: [{ name: 'web', image, resources: { limits: { memory } } }] },
});
const revision = (n: number): JsonObject => ({ annotations: { 'deployment.kubernetes.io/revision': String(n) } });
const deployment = (image: string, n: number, memory?: string): JsonObject => ({
  kind: 'Deployment',
  metadata: { uid: 'web', ...revision(n) },
  spec: { template: template(image, memory) },
});
const set = (name: string, image: string, n: number): JsonObject => ({
  metadata: { name, ownerReferences: [{ uid: 'web' }], creationTimestamp: `2026-11-25T02:00:0${n}Z`, ...revision(n) },
  spec: { template: template(image, '1Gi', { 'pod-template-hash': name }) },
});
const newest = (workload: JsonObject, replicaSets: JsonObject[]) =>
  newestReplicaSet({ workload, replicaSets, pods: [] });

test('of two versions the one that the Deployment asks for, also before it has got its new number', () => {
  const [old, broken] = [set('a', 'web:v1', 1), set('b', 'web:v2', 2)];
  expect(newest(deployment('web:v2', 2), [old, broken])).toBe(broken);
  expect(newest(deployment('web:v1', 2), [old, broken])).toBe(old);
});

test('none while the ReplicaSet of a new version is not seen yet', () => {
  expect(newest(deployment('web:v3', 3), [set('a', 'web:v1', 1), set('b', 'web:v2', 2)])).toBeUndefined();
});

test('a quantity that is written in another way makes no other version', () => {
  const [old, now] = [set('a', 'web:v1', 1), set('b', 'web:v2', 2)];
  expect(newest(deployment('web:v2', 2, '1073741824'), [old, now])).toBe(now);
});

test('of two with one template the older, as the controller has it', () => {
  const [first, second] = [set('a', 'web:v1', 1), set('b', 'web:v1', 2)];
  expect(newest(deployment('web:v1', 2), [second, first])).toBe(first);
});

test('Argo’s by the hash that the Rollout names', () => {
  const labelled = (name: string): JsonObject => ({
    metadata: { name, ownerReferences: [{ uid: 'web' }], labels: { 'rollouts-pod-template-hash': name } },
  });
  const rollout = (status: JsonObject): JsonObject => ({ kind: 'Rollout', metadata: { uid: 'web' }, spec: {}, status });
  const [a, b] = [labelled('a'), labelled('b')];
  expect(newest(rollout({ currentPodHash: 'a' }), [a, b])).toBe(a);
  expect(newest(rollout({}), [a, b])).toBeUndefined();
});

const aborted = 'RolloutAborted: Rollout aborted update to revision 2';
test.each<[string, boolean, JsonObject, JsonObject]>([
  ['a change that was seen', false, {}, { phase: 'Healthy' }],
  ['one that was not', true, {}, { phase: 'Healthy', observedGeneration: '1' }],
  ['a pause by hand', false, { paused: true }, { phase: 'Paused' }],
  ['one that was lifted', true, { paused: false }, { phase: 'Paused' }],
  ['a pause step', false, {}, { phase: 'Paused', pauseConditions: [{ reason: 'CanaryPauseStep' }] }],
  [
    'one that is to be skipped with all others',
    true,
    {},
    { phase: 'Paused', pauseConditions: [{}], promoteFull: true },
  ],
  ['an abort', true, {}, { phase: 'Progressing', abort: true }],
  ['one that was done', false, {}, { phase: 'Degraded', message: aborted, abort: true }],
  ['one that is tried again', true, {}, { phase: 'Degraded', message: aborted }],
  ['pods that came too late', false, {}, { phase: 'Degraded', message: 'ProgressDeadlineExceeded: too late' }],
])('Argo has yet to take up %s: %s', (_what, unheard, spec, status) => {
  const rollout = {
    kind: 'Rollout',
    metadata: { generation: 2 },
    spec,
    status: { observedGeneration: '2', ...status },
  };
  expect(isUnheard(rollout)).toBe(unheard);
});
