import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, isObject, type JsonObject } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { docker } from '../../support/docker-cli.ts';
import { ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field, get, names, web } from '../workloads/on-the-bed.ts';

/** What a workload gets that is not there yet, on a cluster whose kubelet really runs it. */

const image = `${bed.registryHost}/web`;
const folder = join(bed.dir, `first-${process.pid}`);
let desk: RealDesk;
let staging: string;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  desk = await realDesk({
    apps: {
      'hello-world': { image },
      plain: { image: `${bed.registryHost}/plain` },
      db: { image, kind: 'StatefulSet' },
      agent: { image, kind: 'DaemonSet' },
      taken: { image },
    },
    production: {
      newWorkloads: {
        leaveOut: ['spread'],
        labels: { team: 'two' },
        requests: { cpu: '20m', memory: '20Mi' },
        limits: { memory: '64Mi' },
        terminationGracePeriodSeconds: 7,
        preStopSeconds: 0,
        probes: { readiness: '/index.html' },
      },
    },
  });
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

const ask = (app: string, more: Record<string, unknown>, operation = 'deploy') =>
  desk.done(operation, { app, env: 'staging', ...more });
const container = (workload: JsonObject) => at(workload, 'spec', 'template', 'spec', 'containers', 0);

/** An image that only waits, as this user. */
async function pushAs(user: string): Promise<void> {
  await writeFile(join(folder, 'passwd'), 'root:x:0:0::/:/bin/false\napp:x:1000:1000::/:/bin/false\n');
  const run = 'ENTRYPOINT ["/bin/busybox", "sleep", "3600"]';
  await writeFile(join(folder, 'Dockerfile'), `FROM ${bed.busybox}\nCOPY passwd /etc/passwd\nUSER ${user}\n${run}\n`);
  const tag = `${bed.registryHost}/plain:${user}`;
  await docker('build', '-q', '-t', tag, folder);
  await docker('push', '-q', tag);
}

test('two pods and a port, then five, then the next image as a canary: there is traffic to shift, and it goes through', {
  timeout: 180_000,
}, async () => {
  const made = await ask('hello-world', { tag: 'v1', replicas: 2, ports: [8080] });
  expect(made).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', replicas: 2, ready: 2 } });
  expect(made.plan?.changes[0]).toEqual({
    path: 'Service/hello-world',
    to: 'new, leads from 8080 to the pods of app.kubernetes.io/name=hello-world',
  });
  expect(await field(staging, 'service', 'hello-world', 'spec')).toMatchObject({
    type: 'ClusterIP',
    selector: { 'app.kubernetes.io/name': 'hello-world' },
    ports: [{ name: 'port-8080', port: 8080, targetPort: 8080, protocol: 'TCP' }],
  });
  expect(await ask('hello-world', { replicas: 5 }, 'scale')).toMatchObject({ state: 'finished' });
  const id = await desk.ask('deploy', {
    app: 'hello-world',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [20, 50],
    bake: '1s',
  });
  const [next] = await desk.settle([id], 120_000);
  expect(next?.plan?.rollout).toMatchObject({ service: 'hello-world', router: { kind: 'replicas' } });
  expect(next).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(at(container(await get(staging, 'deployment', 'hello-world')), 'image')).toContain(web('v2'));
  expect(await names(staging, 'service')).toEqual(['service/hello-world']);
});

const forRoot = { allowPrivilegeEscalation: false, seccompProfile: { type: 'RuntimeDefault' } };
const forAnybody = { ...forRoot, capabilities: { drop: ['ALL'] } };

test.each([
  ['1000', { ...forAnybody, runAsNonRoot: true }, undefined],
  ['app', forAnybody, [expect.stringContaining('The image runs as “app”')]],
  ['root', forRoot, [expect.stringContaining('The image names no user but root')]],
])('an image of the user %s starts, as confined as that user can be', async (user, securityContext, warnings) => {
  await pushAs(user);
  const made = await ask('plain', { tag: user });
  expect(made).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', ready: 1 } });
  expect(made.plan?.warnings).toEqual(warnings);
  expect(at(container(await get(staging, 'deployment', 'plain')), 'securityContext')).toEqual(securityContext);
  await kubectl(['delete', 'deployment', 'plain', '-n', staging, '--wait=false']);
});

test('all that it gets is in the plan, and is there', async () => {
  const made = await ask('web', { tag: 'v1', ports: [8080, 9090], probe: '/healthz' });
  expect(made).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', ready: 1 } });
  const live = await get(staging, 'deployment', 'web');
  const labels = { 'app.kubernetes.io/name': 'web', 'app.kubernetes.io/managed-by': 'shipmate' };
  const selector = { 'app.kubernetes.io/name': 'web' };
  const httpGet = { path: '/healthz', port: 8080, scheme: 'HTTP' };
  const wanted = {
    metadata: { labels },
    spec: {
      selector: { matchLabels: selector },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 30,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: selector },
              matchLabelKeys: ['pod-template-hash'],
            },
          ],
          containers: [
            {
              resources: { requests: { cpu: '100m', memory: '128Mi' } },
              securityContext: forRoot,
              lifecycle: { preStop: { sleep: { seconds: 5 } } },
              startupProbe: { httpGet, periodSeconds: 2, failureThreshold: 150 },
              readinessProbe: { httpGet, periodSeconds: 5, failureThreshold: 3 },
            },
          ],
        },
      },
    },
  };
  expect(live).toMatchObject(wanted);
  expect(at(container(live), 'livenessProbe')).toBeUndefined();
  expect(at(container(live), 'resources', 'limits')).toBeUndefined();
  expect(await field(staging, 'service', 'web', 'spec', 'ports')).toMatchObject([
    { name: 'http', port: 8080 },
    { name: 'port-9090', port: 9090 },
  ]);
  const shown = made.plan?.changes.map(({ path, to }) => `${path}: ${to}`) ?? [];
  expect(shown[0]).toBe('Service/web: new, leads from 8080, 9090 to the pods of app.kubernetes.io/name=web');
  expect(shown).toEqual(
    expect.arrayContaining([
      'metadata.labels.app.kubernetes.io/managed-by: shipmate',
      'spec.template.spec.containers[web].resources.requests.cpu: 100m',
      'spec.template.spec.containers[web].lifecycle.preStop.sleep.seconds: 5',
      'spec.template.spec.containers[web].readinessProbe.httpGet.path: /healthz',
      'spec.template.spec.terminationGracePeriodSeconds: 30',
    ]),
  );
});

/** All that is said of it, but for the image, and for what the cluster counts. */
function kept(object: JsonObject): JsonObject {
  const { metadata, spec } = object;
  const { labels = null } = isObject(metadata) ? metadata : {};
  const text = JSON.stringify({ labels, spec });
  return JSON.parse(text.replaceAll(/"[^"]*\/web:[^"]*"/g, '"image"'));
}

test('what is there gets none of it with the next deploy, whatever the settings say by then', async () => {
  const { production } = desk.namespaces;
  const deploy = async (env: string, more: Record<string, unknown>) => {
    const id = await desk.ask('deploy', { app: 'web', env, ...more });
    await desk.lap(id);
    await desk.approve(id, ben);
    return await desk.lap(id);
  };
  expect(await deploy('second', { tag: 'v1', ports: [8080] })).toMatchObject({ report: { kind: 'rolled-out' } });
  const before = kept(await get(production, 'deployment', 'web'));
  const service = await get(production, 'service', 'web');
  expect(at(container(before), 'lifecycle')).toBeDefined();

  const next = await deploy('production', { tag: 'v2' });
  expect(next).toMatchObject({ report: { kind: 'rolled-out' } });
  expect(next.plan?.changes.map(({ path }) => path)).toEqual(['spec.template.spec.containers[web].image']);
  expect(kept(await get(production, 'deployment', 'web'))).toEqual(before);
  expect(await get(production, 'service', 'web')).toEqual(service);

  await kubectl(['delete', 'deployment/web', 'service/web', '-n', production]);
  expect(await deploy('production', { tag: 'v1', ports: [8080] })).toMatchObject({ state: 'finished' });
  const other = await get(production, 'deployment', 'web');
  expect(at(other, 'metadata', 'labels')).toMatchObject({ team: 'two' });
  expect(at(other, 'spec', 'template', 'spec')).toMatchObject({ terminationGracePeriodSeconds: 7 });
  expect(at(other, 'spec', 'template', 'spec', 'topologySpreadConstraints')).toBeUndefined();
  expect(at(container(other), 'lifecycle')).toBeUndefined();
  expect(at(container(other), 'readinessProbe', 'httpGet', 'path')).toBe('/index.html');
  expect(at(container(other), 'resources')).toEqual({
    limits: { memory: '64Mi' },
    requests: { cpu: '20m', memory: '20Mi' },
  });
});

test('a Service of its name that leads elsewhere stops it with its sentence, and nothing is changed', async () => {
  await kubectl(['create', 'service', 'clusterip', 'taken', '--tcp=80', '-n', staging]);
  const service = await get(staging, 'service', 'taken');
  expect(await ask('taken', { tag: 'v1', ports: [8080] })).toMatchObject({
    fault: {
      code: 'SERVICE_ELSEWHERE',
      message: `There is a Service “taken” in ${staging} already, and it does not lead to the pods of taken: it leads to app=taken.`,
      hint: expect.stringContaining('environments.staging.newWorkloads.leaveOut: [service]'),
    },
  });
  expect(await names(staging, 'deployment', 'app.kubernetes.io/name=taken')).toEqual([]);
  expect(await get(staging, 'service', 'taken')).toEqual(service);
  expect(await ask('taken', { tag: 'v1' })).toMatchObject({ report: { kind: 'rolled-out' } });
});

test('a StatefulSet’s pods have names by its Service; a DaemonSet’s are reached on their nodes', async () => {
  expect(await ask('db', { tag: 'v1', ports: [8080] })).toMatchObject({ report: { kind: 'rolled-out' } });
  expect(await field(staging, 'service', 'db', 'spec')).toMatchObject({
    clusterIP: 'None',
    selector: { 'app.kubernetes.io/name': 'db' },
  });
  const db = at(await get(staging, 'statefulset', 'db'), 'spec');
  expect(db).toMatchObject({ serviceName: 'db' });
  expect(at(db, 'template', 'spec', 'topologySpreadConstraints', 0, 'matchLabelKeys')).toBeUndefined();

  expect(await ask('agent', { tag: 'v1', ports: [8080] })).toMatchObject({ report: { kind: 'rolled-out' } });
  expect(await names(staging, 'service')).not.toContain('service/agent');
  const agent = at(await get(staging, 'daemonset', 'agent'), 'spec', 'template', 'spec');
  expect(at(agent, 'topologySpreadConstraints')).toBeUndefined();
});

test('what a LimitRange of the namespace gives a container is its own to say', async () => {
  const limits = [{ type: 'Container', default: { memory: '64Mi' }, defaultRequest: { memory: '32Mi' } }];
  const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'small' }, spec: { limits } };
  await kubectl(['create', '-n', staging, '-f', '-'], JSON.stringify(range));
  await pushAs('1000');
  expect(await ask('plain', { tag: '1000' })).toMatchObject({ report: { kind: 'rolled-out', ready: 1 } });
  const live = await get(staging, 'deployment', 'plain');
  expect(at(container(live), 'resources')).toEqual({ requests: { cpu: '100m' } });
});
