import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../../src/core/run.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { deployment, make, pod, podNames, ready, says, statefulSet, until } from './things.ts';

let desk: RealDesk;
let ns: string;

const stays = '/bin/busybox sleep 3600';

beforeAll(async () => {
  desk = await realDesk({ apps: { crash: { image: 'crash' }, pulls: { image: 'pulls' } } });
  ns = desk.namespaces.staging;
  const probe = { readinessProbe: { exec: { command: ['/bin/busybox', 'false'] }, periodSeconds: 1 } };
  await make(
    ns,
    deployment('web', [says('web', stays, { ports: [{ containerPort: 8080, name: 'http' }] })], 2),
    deployment('crash', [says('crash', 'echo dying; exit 3')]),
    deployment('pulls', [{ name: 'pulls', image: `${bed.registryHost}/web:nosuch` }]),
    statefulSet('db', [says('db', stays)]),
    pod('pair', [says('main', stays), says('side', stays, probe)]),
    pod('finished', [says('job', 'exit 0')], { restartPolicy: 'Never' }),
    pod('gave-up', [says('job', 'exit 4')], { restartPolicy: 'Never' }),
    pod('roomy', [says('big', stays, { resources: { requests: { cpu: '500' } } })]),
    pod('prepared', [says('main', stays)], { initContainers: [says('first', 'exit 7')] }),
  );
  await ready(ns, '-l', 'app in (web,db)');
});
afterAll(() => desk.end());

type Table = Extract<NonNullable<Run['report']>, { kind: 'table' }>;
const tableOf = (run: Run): Table => {
  if (run.report?.kind !== 'table') throw new Error(`no table: ${JSON.stringify(run.fault ?? run.report)}`);
  return run.report;
};
const table = async (operation: string, input: Record<string, unknown>) =>
  tableOf(await desk.done(operation, { env: 'staging', ...input }));
const stateIn = ({ rows }: Table, start: string) => rows.find(([name]) => name?.startsWith(start))?.[1] ?? '';

test('pods are told of in a person’s words, those in trouble first', async () => {
  const found = await until(
    'all trouble is there',
    () => table('pods', {}),
    (seen) => {
      const state = (start: string) => stateIn(seen, start);
      return (
        state('crash').includes('again and again') &&
        state('pulls').includes('pulled') &&
        state('prepared').includes('again and again') &&
        state('finished') === 'done' &&
        state('gave-up') !== '' &&
        state('pair').includes('not ready')
      );
    },
  );
  expect(stateIn(found, 'crash')).toBe('crashes again and again: failed (exit code 3)');
  expect(stateIn(found, 'pulls')).toContain('the image can’t be pulled');
  expect(stateIn(found, 'gave-up')).toBe('failed: job failed (exit code 4)');
  expect(stateIn(found, 'roomy')).toContain('no node takes it: 0/1 nodes are available');
  expect(stateIn(found, 'prepared')).toContain(
    'init container first (1 of 1) crashes again and again: failed (exit code 7)',
  );
  expect(stateIn(found, 'pair')).toBe('side runs, but is not ready');
  expect(stateIn(found, 'web')).toBe('ready');
  const names = found.rows.map(([name]) => name ?? '');
  expect(names.findIndex((name) => name.startsWith('crash'))).toBeLessThan(
    names.findIndex((name) => name.startsWith('db')),
  );
});

test('of an app only its own pods, with node, age, restarts and image', async () => {
  const { rows, note } = await table('pods', { app: 'web' });
  expect(rows.map(([name]) => name).sort()).toEqual((await podNames(ns, 'web')).sort());
  const node = await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
  expect(rows[0]?.slice(1)).toEqual([
    'ready',
    '1 of 1',
    '0',
    node,
    expect.stringMatching(/^\d+ (s|min)$/),
    expect.stringContaining('busybox'),
  ]);
  expect(note).toBe('2 of 2 well.');
  expect((await table('pods', { app: 'statefulset/db' })).rows.map(([name]) => name)).toEqual(['db-0']);
  const crash = await until(
    'it crashed again',
    () => table('pods', { app: 'crash' }),
    ({ rows: [row] }) => Number(row?.[3]?.split(' ')[0]) > 1,
  );
  expect(crash.rows[0]?.[3]).toMatch(/^\d+ \(\d+ (s|min) ago\)$/);
});

test('describe says why, since when, with exit codes, probes and events', async () => {
  const crashed = await until(
    'it crashed',
    () => table('describe', { app: 'crash' }),
    ({ rows }) => rows.some(([what]) => what === 'why'),
  );
  const how = (what: string, rows: string[][]) => rows.filter(([each]) => each === what).map(([, value]) => value);
  expect(how('restarts', crashed.rows)[0]).toMatch(/^\d+; the run before failed \(exit code 3\) \d+ (s|min) ago$/);
  expect(crashed.rows.map(([, value]) => value).join('\n')).toContain('BackOff: ');
  expect(how('why', crashed.rows)[0]).toContain('ContainersNotReady');
  expect(how('made', crashed.rows)[0]).toMatch(/ago by ReplicaSet crash-/);

  const pair = await table('describe', { app: 'pod/pair' });
  expect(how('probes', pair.rows)).toEqual(['readiness: /bin/busybox false every 1 s, fails after 3']);
  expect(how('container main', pair.rows)[0]).toMatch(/^runs, since/);
  expect(how('pod', pair.rows)).toEqual(['pair']);

  const [first = '', second = ''] = await podNames(ns, 'web');
  const one = await table('describe', { app: 'web', pod: second.split('-').at(-1) });
  expect(how('pod', one.rows)).toEqual([second]);
  expect(how('pod', (await table('describe', { app: first })).rows)).toEqual([first]);
});

test('a name that fits nothing, or a pod of somebody else, is refused with what would be right', async () => {
  const fault = async (input: Record<string, unknown>) =>
    (await desk.done('describe', { env: 'staging', ...input })).fault;
  expect(await fault({ app: 'pod/pairs' })).toMatchObject({
    code: 'NO_SUCH_OBJECT',
    message: expect.stringContaining('Did you mean “pair”?'),
  });
  expect(await fault({ app: 'web', pod: 'zzzzz' })).toMatchObject({ code: 'NO_SUCH_OBJECT' });
  expect(await fault({ app: 'statefulset/none' })).toMatchObject({ code: 'NOT_DEPLOYED' });
  // What policy and locks were asked about must be what it is: a bare pod that is called like one of an app is not the app’s.
  await make(ns, pod('web-bcdfg-hjklm', [says('main', stays)]));
  expect(await fault({ app: 'web-bcdfg-hjklm' })).toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('belongs to no workload'),
  });
});

test('events are in order, the same again is counted', async () => {
  const found = await until(
    'it backed off',
    () => table('events', { app: 'crash' }),
    ({ rows }) => rows.some(([when, what]) => what === '⚠ BackOff' && when?.includes('times')),
  );
  expect(found.rows.map(([, , object]) => object)).toContain('Deployment/crash');
  expect(found.rows.every(([, , object]) => /crash/.test(object ?? ''))).toBe(true);
  expect(found.rows.filter(([, what]) => what === '⚠ BackOff')).toHaveLength(1);
  const order = found.rows.map(([, what]) => what ?? '');
  expect(order.indexOf('Scheduled')).toBeLessThan(order.indexOf('⚠ BackOff'));
  const ofPod = await table('events', { app: 'pod/pair' });
  expect(new Set(ofPod.rows.map(([, , object]) => object))).toEqual(new Set(['Pod/pair']));
  const everywhere = await table('events', {});
  expect(new Set(everywhere.rows.map(([, , object]) => object)).size).toBeGreaterThan(3);
});

test('images are those that run, by digest, with their ports', async () => {
  const { rows } = await table('images', { app: 'web' });
  const names = await podNames(ns, 'web');
  const real = await kubectl([
    'get',
    'pod',
    '-n',
    ns,
    names[0] ?? '',
    '-o',
    'jsonpath={.status.containerStatuses[0].imageID}',
  ]);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.[1]).toMatch(/^sha256:[0-9a-f]{12}$/);
  expect(real).toContain(rows[0]?.[1]);
  expect(rows[0]?.[3]).toBe(`2: ${names.sort().join(', ')}`);
  expect(rows[0]?.[5]).toBe('8080 (http)');
});

test('a cluster that measures nothing is told how to', async () => {
  const { rows, note } = await table('top', { app: 'web' });
  expect(rows).toEqual([]);
  expect(note).toContain('metrics-server');
});

test('one pod is deleted, and its controller makes another', async () => {
  const before = await podNames(ns, 'web');
  const [victim = ''] = before;
  expect((await desk.done('pod-delete', { app: 'web', env: 'staging' })).fault).toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining(victim),
  });
  expect(await podNames(ns, 'web')).toEqual(before);
  const run = await desk.done('pod-delete', { app: victim, env: 'staging' });
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'changed', objects: [`Pod/${victim}`] } });
  expect(run.plan?.summary).toMatch(/^deletes web-\S+ \(ready\)\. ReplicaSet web-\w+ makes a new one\.$/);
  await until(
    'there is another',
    () => podNames(ns, 'web'),
    (names) => names.length === 2 && !names.includes(victim),
  );
  const bare = await desk.done('pod-delete', { app: 'pod/finished', env: 'staging' });
  expect(bare.plan?.summary).toContain('Nobody makes a new one');
});
