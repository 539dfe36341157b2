import { expect, test } from 'vitest';
import { judgeRollout } from '../../../src/clients/kube/verdict.ts';
import type { JsonObject } from '../../../src/core/json.ts';

/** What is told of a rollout that does not end, in words of the controllers that this bed is never slow enough to show. */

const argo = (generation: number, status: JsonObject): JsonObject => ({
  kind: 'Rollout',
  metadata: { name: 'web', generation, annotations: { 'shipmate.dev/run': 'r' } },
  spec: { replicas: 2, strategy: { canary: {} } },
  status,
});
const judge = (workload: JsonObject) => judgeRollout({ workload, replicaSets: [], pods: [] }, 'r', 2, Date.now());

test('a controller that does nothing is told of, not the pods', () => {
  expect(judge(argo(2, { observedGeneration: '1', phase: 'Healthy' }))).toMatchObject({
    kind: 'progressing',
    finding: { code: 'unheard' },
  });
});

test('what an Argo Rollout waits for is told in the words of its controller', () => {
  const status = { observedGeneration: '2', phase: 'Progressing', message: 'old replicas are pending termination' };
  expect(judge(argo(2, status))).toMatchObject({
    kind: 'progressing',
    finding: { detail: 'Argo Rollouts says Progressing: old replicas are pending termination' },
  });
});
