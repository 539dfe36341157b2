import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let ns = '';
const labels = { app: 'web' };

beforeAll(async () => {
  desk = await realDesk();
  ns = desk.namespaces.staging;
  const ports = [{ name: 'http', containerPort: 8080 }];
  const container = { name: 'web', image: `${bed.registryHost}/web:v1`, ports };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  const template = { metadata: { labels: { ...labels, extra: 'yes' } }, spec };
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
  await kubectl(
    ['apply', '-n', ns, '-f', '-'],
    JSON.stringify({ ...web, spec: { replicas: 2, selector: { matchLabels: labels }, template } }),
  );
  await kubectl(['rollout', 'status', 'deployment/web', '-n', ns, '--timeout=60s']);
});
afterAll(() => desk.end());

const service = async (name: string) =>
  JSON.parse(await kubectl(['get', 'service', name, '-n', ns, '-o', 'json'])).spec;

/** The list, once it shows what a moment ago became true. */
async function listed(name: string, fits: (row: string[]) => boolean): Promise<string[] | undefined> {
  for (let tries = 0; ; tries++) {
    const { report } = await desk.done('services', { env: 'staging' });
    const row = report?.kind === 'table' ? report.rows.find(([first]) => first === name) : undefined;
    if ((row && fits(row)) || tries > 30) return row;
    await sleep(200);
  }
}

test('an app is exposed, listed with its ready endpoints, changed, and undone', { timeout: 90_000 }, async () => {
  const made = await desk.done('service-expose', { app: 'web', env: 'staging', ports: ['80:http', 'admin=9090:8080'] });
  expect(made).toMatchObject({ state: 'finished', report: { objects: ['Service/web'] } });
  expect(await service('web')).toMatchObject({
    type: 'ClusterIP',
    selector: labels,
    ports: [
      { name: 'tcp-80', port: 80, targetPort: 'http', protocol: 'TCP' },
      { name: 'admin', port: 9090, targetPort: 8080 },
    ],
  });
  expect(await listed('web', (row) => row[4] === '2 of 2')).toEqual([
    'web',
    'ClusterIP',
    '80 → http, 9090 → 8080',
    'app=web',
    '2 of 2',
    '',
  ]);
  const fewer = await desk.done('service-expose', { app: 'web', env: 'staging', ports: ['80:8080'], type: 'NodePort' });
  expect(fewer).toMatchObject({ state: 'finished' });
  expect(await service('web')).toMatchObject({ type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }] });
  const { operation = '', input = {} } = made.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished' });
  expect(await kubectl(['get', 'service', 'web', '-n', ns, '--ignore-not-found'])).toBe('');
});

test('a headless one of another name; the same again changes nothing', async () => {
  const input = {
    app: 'deployment/web',
    env: 'staging',
    ports: ['8080', '53:5353/udp'],
    type: 'Headless',
    name: 'peers',
  };
  const made = await desk.done('service-expose', input);
  expect(made.plan?.summary).toContain('note that web declares 8080 and not 5353');
  expect(await service('peers')).toMatchObject({
    clusterIP: 'None',
    ports: [{ port: 8080 }, { port: 53, protocol: 'UDP' }],
  });
  expect(await desk.done('service-expose', input)).toMatchObject({ report: { kind: 'unchanged' } });
});

test('a port name that no container has, and an app that is not there, are refused', async () => {
  expect(await desk.done('service-expose', { app: 'web', env: 'staging', ports: ['80:htp'] })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('Did you mean “http”?') },
  });
  expect(await desk.done('service-expose', { app: 'deployment/no', env: 'staging', ports: ['80'] })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
  for (const port of ['0', '70000', '80:70000', 'http', '80:', '-1'])
    await expect(desk.ask('service-expose', { app: 'web', env: 'staging', ports: [port] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
});

test('Services that lead nowhere are listed with why', async () => {
  const make = (name: string, selector: object, targetPort: string | number) =>
    kubectl(
      ['create', '-n', ns, '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector, ports: [{ port: 80, targetPort }] },
      }),
    );
  await make('lost', { app: 'nobody' }, 80);
  await make('wrong-port', labels, 9999);
  await make('wrong-name', labels, 'grpc');
  expect(await listed('lost', () => true)).toMatchObject([
    'lost',
    'ClusterIP',
    '80',
    'app=nobody',
    '0 of 0',
    'the selector fits no pod and no workload',
  ]);
  expect((await listed('wrong-port', () => true))?.[5]).toBe('no container has the port 9999');
  expect((await listed('wrong-name', () => true))?.[5]).toBe('no container has the port grpc');
});

test('a Service that an address leads to is deleted with a warning; the API server’s own never', async () => {
  const rule = {
    host: 'a.example.com',
    http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'lost', port: { number: 80 } } } }] },
  };
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'a' },
    spec: { rules: [rule] },
  };
  await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify(ingress));
  const deleted = await desk.done('service-delete', { name: 'lost', env: 'staging' });
  expect(deleted).toMatchObject({
    state: 'finished',
    plan: { summary: 'deletes Service/lost; a.example.com/ will lead nowhere' },
  });
  expect(await kubectl(['get', 'service', 'lost', '-n', ns, '--ignore-not-found'])).toBe('');
  expect(await desk.done('service-delete', { name: 'wrong-prt', env: 'staging' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “wrong-port”?') },
  });
});
