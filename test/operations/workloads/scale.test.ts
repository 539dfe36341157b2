import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field, put, sleeps, template, workload } from './on-the-bed.ts';

let desk: RealDesk;
let staging: string;
beforeAll(async () => {
  desk = await realDesk();
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

const scale = (app: string, replicas: number | string) => desk.done('scale', { app, env: 'staging', replicas });
const replicasOf = (kind: string, name: string) => field(staging, kind, name, 'spec', 'replicas');
const sleeper = (kind: string, name: string, spec = {}) =>
  workload(kind, name, staging, template(name, bed.busybox, sleeps), spec);

test('by a number, by how many more or fewer, and by a share; the plan has the absolute number', async () => {
  await put(sleeper('Deployment', 'web'));
  const more = await scale('web', '+2');
  expect(more).toMatchObject({
    state: 'finished',
    plan: { summary: '1 → 3 replicas (+2)', changes: [{ path: 'spec.replicas', from: 1, to: 3 }] },
    report: { kind: 'rolled-out', replicas: 3, ready: 3 },
  });
  expect(await replicasOf('deployment', 'web')).toBe(3);
  expect(await scale('web', '50%')).toMatchObject({ plan: { summary: '3 → 2 replicas (50%)' } });
  expect(await scale('web', '-1')).toMatchObject({ plan: { summary: '2 → 1 replicas (-1)' } });
  expect(await replicasOf('deployment', 'web')).toBe(1);

  const { operation = '', input = {} } = more.plan?.undo ?? {};
  expect([operation, input.replicas]).toEqual(['scale', 1]);
  expect(await scale('web', 1)).toMatchObject({ report: { kind: 'unchanged' } });
});

test('what is approved is the number: another count meanwhile makes it another question', async () => {
  await kubectl([
    'create',
    'deployment',
    'web',
    '-n',
    desk.namespaces.production,
    '--image',
    bed.busybox,
    '--',
    'sleep',
    '99',
  ]);
  const id = await desk.ask('scale', { app: 'web', env: 'production', replicas: '+1' });
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting', plan: { summary: '1 → 2 replicas (+1)' } });
  await kubectl(['scale', 'deployment/web', '--replicas=4', '-n', desk.namespaces.production]);
  await desk.approve(id, { kind: 'slack', team: 'T1', user: 'UBEN' });
  expect(await desk.lap(id)).toMatchObject({
    state: 'awaiting',
    replanned: true,
    plan: { summary: '4 → 5 replicas (+1)' },
  });
  expect(await field(desk.namespaces.production, 'deployment', 'web', 'spec', 'replicas')).toBe(4);
});

test('a StatefulSet that is no app, however it is called', async () => {
  await put(sleeper('StatefulSet', 'db'));
  expect(await scale('sts/db', '+1')).toMatchObject({
    state: 'finished',
    place: { app: 'statefulset/db', kind: 'StatefulSet' },
    report: { kind: 'rolled-out', replicas: 2, ready: 2 },
  });
  expect(await replicasOf('statefulset', 'db')).toBe(2);
  expect(await scale('statefulset/dbb', 1)).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “db”?') },
  });
});

test('a DaemonSet has no number to change', async () => {
  await put(sleeper('DaemonSet', 'agent'));
  expect(await scale('daemonset/agent', 3)).toMatchObject({
    state: 'failed',
    fault: { code: 'NOT_FOR_KIND', message: expect.stringContaining('one pod on each node') },
  });
});

test.each([
  ['-5', 'would be -4'],
  ['5000', '+2, -1 or 50%'],
  ['lots', '+2, -1 or 50%'],
  [-1, 'must not be negative'],
  ['200000%', '+2, -1 or 50%'],
])('“%s” is refused in words, and nothing changes', async (wish, words) => {
  await put(sleeper('Deployment', 'fixed'));
  const asked = scale('deployment/fixed', wish).then(
    ({ fault }) => fault?.message ?? '',
    (thrown: unknown) => String(thrown),
  );
  expect(await asked).toContain(words);
  expect(await replicasOf('deployment', 'fixed')).toBe(1);
});

test('what an autoscaler owns is not fought over; zero is let through, since the autoscaler lets it be', async () => {
  await put(sleeper('Deployment', 'busy'));
  await kubectl(['autoscale', 'deployment/busy', '-n', staging, '--min=1', '--max=4', '--cpu=50%']);
  const refused = await scale('deployment/busy', 6);
  expect(refused.fault).toMatchObject({ code: 'AUTOSCALED', message: expect.stringContaining('between 1 and 4') });
  expect(refused.fault?.message).toContain('HorizontalPodAutoscaler/busy');
  expect(refused.fault?.hint).toContain('/ship autoscale Deployment/busy 1..6 in staging');
  expect(await replicasOf('deployment', 'busy')).toBe(1);
  expect(await scale('deployment/busy', 0)).toMatchObject({ state: 'finished' });
  expect(await replicasOf('deployment', 'busy')).toBe(0);
});

test('nor what KEDA owns', async () => {
  await put(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'scaledobjects.keda.sh' },
      spec: {
        group: 'keda.sh',
        scope: 'Namespaced',
        names: {
          kind: 'ScaledObject',
          plural: 'scaledobjects',
          singular: 'scaledobject',
          listKind: 'ScaledObjectList',
        },
        versions: [
          {
            name: 'v1alpha1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    },
    sleeper('Deployment', 'worker'),
  );
  await kubectl(['wait', '--for=condition=Established', 'crd/scaledobjects.keda.sh', '--timeout=20s']);
  await put({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'by-queue', namespace: staging },
    spec: { scaleTargetRef: { name: 'worker' }, maxReplicaCount: 9 },
  });
  for (const wish of ['+1', 0])
    expect(await scale('deployment/worker', wish)).toMatchObject({
      fault: {
        code: 'AUTOSCALED',
        message: expect.stringContaining('ScaledObject/by-queue, between 0 and 9'),
        hint: expect.stringContaining('/ship keda pause by-queue in staging'),
      },
    });
});
