import { afterAll, beforeAll, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { applyAll, ask } from './explained.ts';
import { budget, configMap, container, deployment, quota, service } from './manifests.ts';

let desk: RealDesk;
let full: string;
beforeAll(async () => {
  full = await freshNamespace('full');
  desk = await realDesk({ environments: { full: { namespace: full } } });
  const made = { namespace: desk.namespaces.staging, name: 'web' };
  const web = container(`${bed.registryHost}/web:v1`, {
    name: 'web',
    args: [],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
  });
  await applyAll([
    deployment(made, { containers: [web] }, { replicas: 2 }),
    service(made, { app: 'web' }, 'http'),
    budget(made, 'web'),
  ]);
});
afterAll(async () => {
  await kubectl(['delete', 'namespace', full, '--wait=false']);
  await desk.end();
});

const stateOf = async (what: string) => (await ask(desk, what)).state;
const inStaging = (...args: string[]) => kubectl([...args, '-n', desk.namespaces.staging]);

test.concurrent('a healthy app is called healthy; one that breaks offers the way back, which leads to health again', async ({
  expect,
}) => {
  await expect.poll(() => stateOf('web'), { timeout: 30_000 }).toBe('well');
  const healthy = await ask(desk, 'web');
  expect(healthy).toMatchObject({
    headline: 'web in staging is well.',
    cause: '2 of 2 pods of web:v1 ready; its Services, volumes, quota, budgets and autoscalers are in order.',
    remedy: 'Nothing needs to be done.',
    others: [],
  });
  expect(healthy).not.toHaveProperty('code');
  expect(healthy).not.toHaveProperty('command');

  await inStaging('set', 'image', 'deployment/web', `web=${bed.registryHost}/web:v3`, '--field-manager=bens-laptop');
  await expect.poll(async () => (await ask(desk, 'web')).code, { timeout: 40_000 }).toBe('crash');
  const broken = await ask(desk, 'web');
  expect(broken.evidence[0]).toMatchObject({ what: 'bens-laptop set', detail: '[web].image' });
  expect(broken.next.map(({ label }) => label)).toContain('Roll back');

  const back = broken.next.find(({ label }) => label === 'Roll back');
  const run = await desk.done(back?.operation ?? '', back?.input ?? {});
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'rolled-out' } });
  await expect.poll(() => stateOf('web'), { timeout: 20_000 }).toBe('well');
  expect((await ask(desk, 'web')).evidence[0]).toMatchObject({
    what: 'ana asked for rollback',
    detail: expect.stringContaining(`run ${run.id}`),
  });
});

test.concurrent('of several causes the root is told and the others are counted', async ({ expect }) => {
  const made = { namespace: desk.namespaces.staging, name: 'two' };
  await applyAll([
    deployment(made, { containers: [container(bed.busybox, { envFrom: [{ configMapRef: { name: 'late' } }] })] }),
    service(made, { app: 'nobody' }, 8080),
  ]);
  await expect.poll(async () => (await ask(desk, 'deployment/two')).code, { timeout: 30_000 }).toBe('no-configmap');
  expect((await ask(desk, 'deployment/two')).others).toEqual([
    { code: 'service-selector', what: 'the Service two finds no pods' },
  ]);
  // The remedy works as it says.
  await applyAll([configMap({ ...made, name: 'late' }, { KEY: 'value' })]);
  await expect
    .poll(async () => (await ask(desk, 'deployment/two')).code, { timeout: 60_000, interval: 500 })
    .toBe('service-selector');
});

test.concurrent('a pod that a finalizer keeps from going is told of while all else is well', async ({ expect }) => {
  const made = { namespace: desk.namespaces.staging, name: 'held' };
  await applyAll([deployment(made, { containers: [container(bed.busybox)] })]);
  await expect.poll(() => stateOf('deployment/held'), { timeout: 30_000 }).toBe('well');
  const pod = (await inStaging('get', 'pod', '-l', 'app=held', '-o', 'name')).trim();
  const finalizers = (value: string) =>
    inStaging('patch', pod, '--type=merge', '-p', `{"metadata":{"finalizers":${value}}}`);
  await finalizers('["example.com/hold"]');
  await inStaging('delete', pod, '--wait=false');
  await expect
    .poll(async () => (await ask(desk, 'deployment/held')).code, { timeout: 40_000 })
    .toBe('pod-stuck-finalizer');
  const found = await ask(desk, 'deployment/held');
  expect(found).toMatchObject({ state: 'risk', cause: expect.stringContaining('example.com/hold') });
  expect(found.headline).toBe('deployment/held in staging: a deleted pod does not go away (1 of 1 pods ready).');
  expect(found.command).toBe(
    `kubectl -n ${made.namespace} patch ${pod} --type=merge -p '{"metadata":{"finalizers":null}}'`,
  );
  await finalizers('null');
  await expect.poll(() => stateOf('deployment/held'), { timeout: 20_000 }).toBe('well');
});

test.concurrent('a quota that is just full is told of before it hurts', async ({ expect }) => {
  const made = { namespace: full, name: 'last' };
  await applyAll([
    quota({ namespace: full, name: 'one' }, { pods: '1' }),
    deployment(made, { containers: [container(bed.busybox)] }),
  ]);
  const code = async () => (await ask(desk, 'deployment/last', 'full')).code;
  await expect.poll(code, { timeout: 30_000 }).toBe('quota-full');
  expect(await ask(desk, 'deployment/last', 'full')).toMatchObject({
    state: 'risk',
    headline: 'deployment/last in full: the namespace’s quota of pods is full (1 of 1 pods ready).',
    cause: 'The quota one allows 1, and all of it is used: a rollout or scale-up finds no room.',
    command: `kubectl -n ${full} describe resourcequota one`,
  });
});

test.concurrent('a run is explained as ever; an app without an environment is asked where; what is nothing is said to be nothing', async ({
  expect,
}) => {
  const { id } = await desk.done('config-set', { name: 'any', env: 'staging', values: ['A=1'] });
  expect((await desk.done('why', { what: id })).report).toMatchObject({
    kind: 'table',
    title: `Why run ${id} went as it did`,
    rows: expect.arrayContaining([['', 'allowed by the rule “the rest is free”']]),
  });
  expect((await desk.done('why', { what: 'web' })).fault).toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('/ship why web in staging'),
  });
  expect((await desk.done('why', { what: 'zzzzzzzz' })).fault).toMatchObject({ code: 'UNKNOWN_RUN' });
  await expect(desk.ask('why', { what: 'webb', env: 'staging' })).rejects.toMatchObject({
    code: 'UNKNOWN_APP',
    message: expect.stringContaining('Did you mean “web”?'),
  });
  await expect(desk.ask('why', { what: 'pod/web', env: 'staging' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});
