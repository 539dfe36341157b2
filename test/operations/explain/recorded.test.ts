import { expect, test } from 'vitest';
import { at, type JsonObject } from '../../../src/core/json.ts';
import { locate } from '../../../src/core/place.ts';
import { Settings } from '../../../src/core/settings.ts';
import { findingsIn } from '../../../src/operations/explain/findings.ts';
import { pictureOf, type Reading } from '../../../src/operations/explain/picture.ts';
import { container, deployment } from './manifests.ts';

/** What this bed cannot be brought to say: words of other clusters, as they were recorded there. */

const settings = Settings.parse({
  apps: { web: { image: 'r/web' } },
  environments: { staging: { namespace: 'staging' } },
});
const image = 'registry.example.com/team/web:v1';
const born = '2026-11-25T02:00:00Z';

const owned = (kind: string, name: string, owner: string, rest: JsonObject): JsonObject => ({
  kind,
  metadata: { name, uid: name, creationTimestamp: born, ownerReferences: [{ uid: owner }] },
  ...rest,
});

/** The codes and sentences for a Deployment of one pod with that status. */
function found(pod: JsonObject, more: Partial<Reading> = {}, replicaSet: JsonObject = {}) {
  const made = deployment({ namespace: 'staging', name: 'web' }, { containers: [container(image)] });
  const reading = {
    workload: {
      ...made,
      metadata: { name: 'web', uid: 'web', generation: 1, creationTimestamp: born },
      status: { observedGeneration: 1 },
    },
    namespace: { status: { phase: 'Active' } },
    replicaSets: [
      owned('ReplicaSet', 'web-1', 'web', { spec: { template: at(made, 'spec', 'template') ?? {} }, ...replicaSet }),
    ],
    allPods:
      Object.keys(pod).length === 0
        ? []
        : [owned('Pod', 'web-1-a', 'web-1', { spec: { containers: [container(image)] }, ...pod })],
    jobs: [],
    warnings: [],
    services: [],
    slices: [],
    quotas: [],
    claims: [],
    autoscalers: [],
    budgets: [],
    unseen: [],
    ...more,
  };
  const place = locate(settings, { app: 'web', env: 'staging' });
  const [first] = findingsIn(pictureOf(reading, { now: Date.parse(born) + 90_000, place, history: [] }));
  return { code: first?.code, what: first?.what, cause: first?.cause };
}

const waits = (reason: string, message: string): JsonObject => ({
  status: {
    phase: 'Pending',
    containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state: { waiting: { reason, message } } }],
  },
});

test.each([
  [
    'Back-off pulling image "registry.example.com/team/web:v1": ErrImagePull: failed to pull and unpack image "registry.example.com/team/web:v1": failed to resolve reference "registry.example.com/team/web:v1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    'image-forbidden',
    'the registry does not let the nodes pull web:v1',
  ],
  [
    'failed to pull and unpack image "registry.example.com/team/web:v1": failed to resolve reference "registry.example.com/team/web:v1": failed to do request: Head "https://registry.example.com/v2/team/web/manifests/v1": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host',
    'registry-away',
    'the registry registry.example.com can’t be reached',
  ],
  [
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/team/web:v1": no match for platform in manifest: not found',
    'image-platform',
    'web:v1 is not built for the nodes’ processors',
  ],
])('a pull fails: %s', (message, code, what) => {
  expect(found(waits('ImagePullBackOff', message))).toMatchObject({ code, what });
});

test('an admission webhook says no in words of its own', () => {
  const message =
    'admission webhook "validation.gatekeeper.sh" denied the request: [required-labels] you must provide labels: {"team"}';
  const refused = { status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message }] } };
  expect(found({}, {}, refused)).toEqual({
    code: 'admission',
    what: 'the admission webhook validation.gatekeeper.sh refuses its pods',
    cause: '[required-labels] you must provide labels: {"team"}.',
  });
});

test('a volume that another node holds', () => {
  const message =
    'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be attached to another';
  const event = {
    reason: 'FailedAttachVolume',
    type: 'Warning',
    message,
    involvedObject: { uid: 'web-1-a' },
    lastTimestamp: born,
  };
  const pod = { spec: { nodeName: 'n1', containers: [] }, status: { phase: 'Pending' } };
  expect(found(pod, { warnings: [event] })).toMatchObject({
    code: 'volume-held',
    what: 'another node still holds its volume',
  });
});

test('nodes without room are told of before nodes that were never meant', () => {
  const message =
    "0/5 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 3 Insufficient memory. preemption: 0/5 nodes are available.";
  const status = {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
  };
  expect(found({ status })).toMatchObject({ code: 'no-room', what: 'no node has enough memory' });
});

test('a pod that its node threw out', () => {
  const evicted = owned('Pod', 'web-1-b', 'web-1', {
    status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: ephemeral-storage.' },
  });
  expect(found({}, { allPods: [evicted] })).toMatchObject({
    code: 'evicted',
    cause: 'The node was low on resource: ephemeral-storage.',
  });
});
