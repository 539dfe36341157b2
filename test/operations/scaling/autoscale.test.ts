import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let image: string;
beforeAll(async () => {
  desk = await realDesk();
  const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
  const found = await fetch(`http://${bed.registryHost}/v2/web/manifests/v1`, { method: 'HEAD', headers: { accept } });
  image = `${bed.registryHost}/web@${found.headers.get('docker-content-digest')}`;
});
afterAll(() => desk.end());

const inStaging = (args: string[], stdin?: string) => kubectl([...args, '-n', desk.namespaces.staging], stdin);
const get = async (what: string) => JSON.parse(await inStaging(['get', what, '-o', 'json', '--show-managed-fields']));
const make = (object: object) => inStaging(['apply', '-f', '-'], JSON.stringify(object));

const requests = { requests: { cpu: '10m', memory: '16Mi' } };
function workload(name: string, resources: object = requests, kind = 'Deployment'): object {
  const labels = { app: name };
  const containers = [{ name, image: bed.busybox, args: ['sleep', '3600'], resources }];
  const template = { metadata: { labels }, spec: { containers, terminationGracePeriodSeconds: 0 } };
  return { apiVersion: 'apps/v1', kind, metadata: { name }, spec: { selector: { matchLabels: labels }, template } };
}

test('the pods of an app follow the load, and nobody else sets their number', async () => {
  const input = { app: 'web', env: 'staging' };
  const first = await desk.done('deploy', { ...input, image, replicas: 2, resources: requests });
  expect(first).toMatchObject({ state: 'finished' });

  const run = await desk.done('autoscale', { ...input, range: '2..5', cpu: '70%', downAfter: '10m' });
  expect(run).toMatchObject({ state: 'finished', plan: { summary: '2 to 5 pods, cpu 70%' } });
  expect(run.plan?.changes).toContainEqual({
    path: 'Deployment/web spec.replicas (kept by)',
    from: 'Shipmate',
    to: 'the autoscaler',
  });
  const { spec } = await get('hpa/web');
  expect(spec).toMatchObject({
    minReplicas: 2,
    maxReplicas: 5,
    scaleTargetRef: { kind: 'Deployment', name: 'web' },
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 70 } } }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
  });
  const released = await get('deployment/web');
  expect(released.spec.replicas, 'as many as before').toBe(2);
  const owners = released.metadata.managedFields.filter(
    (entry: { fieldsV1: { 'f:spec'?: object } }) => 'f:replicas' in (entry.fieldsV1['f:spec'] ?? {}),
  );
  expect(owners).toEqual([]);

  await inStaging(['scale', 'deployment/web', '--replicas=3']);
  const env = { variables: { GREETING: 'hello' } };
  expect(await desk.done('deploy', { ...input, image, ...env })).toMatchObject({ state: 'finished' });
  expect((await get('deployment/web')).spec.replicas, 'a deploy leaves the autoscaler’s number').toBe(3);

  expect(await desk.done('autoscale', { ...input, range: '2..5', cpu: '70%' })).toMatchObject({
    report: { kind: 'unchanged' },
  });

  const off = await desk.done('autoscale-off', input);
  expect(off).toMatchObject({ state: 'finished', plan: { summary: expect.stringContaining('stays at 3 pods') } });
  await expect(get('hpa/web')).rejects.toThrow('not found');
  expect((await get('deployment/web')).spec.replicas).toBe(3);
});

test('an autoscaler that is there keeps what was not spoken of, and goes back', async () => {
  await make(workload('api'));
  const external = {
    type: 'External',
    external: { metric: { name: 'queue_length' }, target: { type: 'AverageValue', averageValue: '30' } },
  };
  await make({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'by-queue' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [external],
      behavior: { scaleUp: { stabilizationWindowSeconds: 7 } },
    },
  });
  const input = { app: 'deployment/api', env: 'staging' };
  const run = await desk.done('autoscale', { ...input, range: '2-6', memory: '300Mi' });
  expect(run).toMatchObject({ state: 'finished', report: { objects: ['HorizontalPodAutoscaler/by-queue'] } });
  const { spec } = await get('hpa/by-queue');
  expect(spec).toMatchObject({ minReplicas: 2, maxReplicas: 6 });
  expect(spec.behavior.scaleUp.stabilizationWindowSeconds).toBe(7);
  expect(spec.metrics).toEqual([
    external,
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '300Mi' } } },
  ]);

  const { operation = '', input: back = {} } = run.plan?.undo ?? {};
  expect(await desk.done(operation, back)).toMatchObject({ state: 'finished' });
  const undone = (await get('hpa/by-queue')).spec;
  expect(undone).toMatchObject({ minReplicas: 1, maxReplicas: 3, metrics: [external] });
});

test('custom metrics and behaviour come over REST as the API has them', async () => {
  await make(workload('worker'));
  const metrics = [
    {
      type: 'Pods',
      pods: { metric: { name: 'jobs_waiting' }, target: { type: 'AverageValue', averageValue: '5' } },
    },
  ];
  const behavior = { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } };
  const input = { app: 'deployment/worker', env: 'staging', range: '1..4', metrics, behavior };
  expect(await desk.done('autoscale', input)).toMatchObject({ state: 'finished' });
  expect((await get('hpa/worker')).spec).toMatchObject({ metrics, behavior });
});

test('what could never work is refused before anything is done', async () => {
  await make(workload('greedy', {}));
  await make(workload('everywhere', requests, 'DaemonSet'));
  const ask = (app: string, more: object) => desk.done('autoscale', { app, env: 'staging', range: '2..4', ...more });
  expect(await ask('deployment/greedy', { cpu: '70%' })).toMatchObject({
    state: 'failed',
    fault: { message: expect.stringContaining('greedy asks for no cpu') },
  });
  expect(await ask('daemonset/everywhere', {})).toMatchObject({
    fault: { message: expect.stringContaining('one pod on each node') },
  });
  expect(await ask('deployment/nothing', {})).toMatchObject({ fault: { code: 'NOT_DEPLOYED' } });
  for (const [range, problem] of [
    ['10..2', 'must end at 10 or more'],
    ['0..3', 'only KEDA scales to zero'],
    ['2..5000', 'at most'],
    ['lots', 'such as 2..10'],
  ])
    await expect(ask('web', { range })).rejects.toThrow(problem);
  await expect(ask('web', { cpu: '70' })).rejects.toThrow('70%');
  expect((await inStaging(['get', 'hpa', '-o', 'name'])).match(/greedy|everywhere/)).toBeNull();

  await make(workload('owned'));
  await make({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name: 'keda-hpa-owned',
      ownerReferences: [
        { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: 'jobs', uid: 'x', controller: true },
      ],
    },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'owned' }, maxReplicas: 3 },
  });
  expect(await ask('deployment/owned', { cpu: '50m' })).toMatchObject({
    fault: { code: 'MANAGED_ELSEWHERE', message: expect.stringContaining('ScaledObject/jobs') },
  });
});

test('the list says in words why an autoscaler does nothing', { timeout: 90_000 }, async () => {
  await make(workload('blind'));
  expect(await desk.done('autoscale', { app: 'deployment/blind', env: 'staging', range: '1..3' })).toMatchObject({
    state: 'finished',
  });
  for (let tries = 0; ; tries++) {
    const { report } = await desk.done('autoscalers', { env: 'staging' });
    if (report?.kind !== 'table') throw new Error(`no table but ${JSON.stringify(report)}`);
    const row = report.rows.find(([name]) => name === 'HPA blind');
    if (row?.[5]?.startsWith('cannot read metrics')) {
      expect(row.slice(1, 5)).toEqual(['Deployment/blind', '1', '1..3', 'cpu ? of 80%']);
      break;
    }
    expect(tries, `says ${row?.[5]}`).toBeLessThan(40);
    await sleep(1_000);
  }
});
