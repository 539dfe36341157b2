import { beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { at, type Json, type JsonObject } from '../../src/core/json.ts';
import { type NewWorkloads, newWorkloadParts } from '../../src/core/new-workloads.ts';
import type { Manifest } from '../../src/core/registry.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** What a deploy makes of a workload that is not there yet, and what stops it. */

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;

type Change = Partial<z.input<typeof SettingsSchema>['environments'][string]>;
type AppsOf = z.input<typeof SettingsSchema>['apps'];

const image = '127.0.0.1:5000/web';
function given(change: Change, apps: AppsOf = {}): void {
  settings = SettingsSchema.parse({
    ...testSettings,
    apps: { web: { image }, ...apps },
    environments: { ...testSettings.environments, staging: { namespace: 'staging', ...change } },
  });
}
const gives = (newWorkloads: z.input<typeof NewWorkloads>) => given({ newWorkloads });

/** Lets the registry tell whom its images run as. */
function runAs(user: string): void {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'c'.repeat(64)}`, size: 9 };
  const found: Manifest = { digest: config.digest, mediaType: '', bytes: new Uint8Array(), body: { config } };
  world.clients.registry.manifest = async () => found;
  world.clients.registry.blob = async () => Buffer.from(JSON.stringify({ config: { User: user } }));
}

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  runAs('1000');
  given({});
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const deploy = (more: Record<string, unknown> = {}, app = 'web') =>
  desk.done('deploy', { app, env: 'staging', tag: 'v1', ...more });
const live = (key = 'staging/web') => world.objects.get(key);
const pods = (key?: string) => at(live(key), 'spec', 'template', 'spec');
const container = (key?: string) => at(pods(key), 'containers', 0);
const shown = (plan: { changes: { path: string }[] } | undefined) => plan?.changes.map(({ path }) => path) ?? [];
const put = (object: JsonObject) =>
  world.objects.set(`${object.kind} staging/${at(object, 'metadata', 'name')}`, object);
const refusal = fault('CLUSTER_REFUSED', { cluster: 'default', problem: 'no' });
const service = (name: string, selector?: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'staging' },
  spec: { ...(selector && { selector }), ports: [{ port: 80 }] },
});

type Part = NewWorkloads['leaveOut'][number];
const all: Record<Part, () => Json | undefined> = {
  labels: () => at(live(), 'metadata', 'labels', 'app.kubernetes.io/managed-by'),
  requests: () => at(container(), 'resources'),
  securityContext: () => at(container(), 'securityContext'),
  spread: () => at(pods(), 'topologySpreadConstraints'),
  gracefulEnd: () => at(pods(), 'terminationGracePeriodSeconds') ?? at(container(), 'lifecycle'),
  service: () => live('Service staging/web'),
};
const parts = newWorkloadParts.map((part) => [part, all[part]] as const);

test('it gets all of it unless it is left out, and each is left out alone', async () => {
  expect(await deploy({ ports: [80] })).toMatchObject({ state: 'finished' });
  expect(parts.filter(([, find]) => find() === undefined)).toEqual([]);
});

test.each(parts.map(([part]) => part))('%s can be left out, and the rest is there', async (part) => {
  gives({ leaveOut: [part] });
  expect(await deploy({ ports: [80] })).toMatchObject({ state: 'finished' });
  expect(parts.flatMap(([each, find]) => (find() === undefined ? [each] : []))).toEqual([part]);
});

test('with all of it left out it has nothing but what Kubernetes needs', async () => {
  gives({ leaveOut: ['labels', 'requests', 'securityContext', 'spread', 'gracefulEnd', 'service'] });
  await deploy({ ports: [80] });
  expect(container()).toEqual({
    name: 'web',
    image: `${image}:v1@sha256:${'1'.repeat(64)}`,
    ports: [{ containerPort: 80, protocol: 'TCP' }],
  });
  expect(Object.keys(Object(pods()))).toEqual(['containers']);
});

test('more labels are borne by the workload and its pods, and never part of what finds them', async () => {
  gives({ labels: { team: 'shop' } });
  await deploy({ ports: [80] });
  const labels = { team: 'shop', 'app.kubernetes.io/managed-by': 'shipmate', 'app.kubernetes.io/name': 'web' };
  expect(at(live(), 'metadata', 'labels')).toEqual(labels);
  expect(at(live(), 'spec', 'template', 'metadata', 'labels')).toEqual(labels);
  expect(at(live('Service staging/web'), 'metadata', 'labels')).toEqual(labels);
  const found = { 'app.kubernetes.io/name': 'web' };
  expect(at(live(), 'spec', 'selector', 'matchLabels')).toEqual(found);
  expect(at(live('Service staging/web'), 'spec', 'selector')).toEqual(found);
});

describe('what a container asks for', () => {
  test('is what settings say, with a limit where they say one', async () => {
    gives({ requests: { cpu: '50m' }, limits: { memory: '256Mi' } });
    await deploy();
    expect(at(container(), 'resources')).toEqual({
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { memory: '256Mi' },
    });
  });

  test('is left to whoever says anything of it: half of each may not fit', async () => {
    gives({ limits: { memory: '256Mi' } });
    await deploy({ resources: { limits: { cpu: '50m' }, requests: { memory: '1Gi' } } });
    expect(at(container(), 'resources')).toEqual({ limits: { cpu: '50m' }, requests: { memory: '1Gi' } });
  });

  test('is left to a LimitRange of the namespace where it speaks of it', async () => {
    const spec: JsonObject = {
      limits: [
        { type: 'Pod', max: { cpu: '4' } },
        { type: 'Container', max: { memory: '64Mi' } },
      ],
    };
    put({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'small', namespace: 'staging' }, spec });
    await deploy();
    expect(at(container(), 'resources')).toEqual({ requests: { cpu: '100m' } });
  });
});

const forRoot = { allowPrivilegeEscalation: false, seccompProfile: { type: 'RuntimeDefault' } };
const forAnybody = { ...forRoot, capabilities: { drop: ['ALL'] } };
const restricted = { ...forAnybody, runAsNonRoot: true };

describe('its security context', () => {
  test.each([
    ['baseline', '1000', restricted, undefined],
    ['privileged', '1000', restricted, undefined],
    ['baseline', 'app', forAnybody, 'runAsNonRoot is left out'],
    ['baseline', '', forRoot, 'The image names no user but root: runAsNonRoot is left out'],
    ['restricted', '1000', restricted, undefined],
    ['restricted', 'app', restricted, 'its pods won’t start'],
    ['restricted', '0', restricted, 'The image names no user but root, and pods of staging may not run as root'],
  ] as const)('in %s, for the user “%s”', async (podSecurity, user, wanted, warning) => {
    runAs(user);
    given({ podSecurity });
    const { plan } = await deploy();
    expect(at(container(), 'securityContext')).toEqual(wanted);
    expect(plan?.warnings).toEqual(warning && [expect.stringContaining(warning)]);
  });

  test('is root’s where the registry does not tell whose image it is', async () => {
    world.clients.registry.manifest = async () => undefined;
    expect((await deploy()).plan?.warnings).toEqual([expect.stringContaining('it is taken for root')]);
    expect(at(container(), 'securityContext')).toEqual(forRoot);
  });

  test('stays where the level asks for it, though new workloads get none', async () => {
    given({ podSecurity: 'restricted', newWorkloads: { leaveOut: ['securityContext'] } });
    await deploy();
    expect(at(container(), 'securityContext')).toEqual(restricted);
  });

  test('asks nothing of the registry where it is left out', async () => {
    gives({ leaveOut: ['securityContext'] });
    world.clients.registry.manifest = () => Promise.reject(new Error('it was asked'));
    expect(await deploy()).toMatchObject({ state: 'finished' });
  });
});

test('an older cluster can’t let a container wait: it is left out, and the rest of the end is there', async () => {
  world.kube.version = async () => 'v1.29.3';
  await deploy();
  expect(at(container(), 'lifecycle')).toBeUndefined();
  expect(at(pods(), 'terminationGracePeriodSeconds')).toBe(30);
});

describe('probes', () => {
  test('are there where asked: readiness and startup, never liveness', async () => {
    await deploy({ ports: [8080, 9090], probe: '/healthz' });
    const httpGet = { path: '/healthz', port: 8080 };
    expect(container()).toMatchObject({ readinessProbe: { httpGet }, startupProbe: { httpGet } });
    expect(at(container(), 'livenessProbe')).toBeUndefined();
    expect(at(live('Service staging/web'), 'spec', 'ports')).toMatchObject([{ name: 'http' }, { name: 'port-9090' }]);
  });

  test('are those of the settings where there is a port', async () => {
    gives({ probes: { readiness: '/ready', liveness: '/live' } });
    await deploy({ ports: [8080] });
    expect(at(container(), 'readinessProbe', 'httpGet', 'path')).toBe('/ready');
    expect(at(container(), 'livenessProbe', 'httpGet', 'path')).toBe('/live');
    expect(at(container(), 'startupProbe')).toBeUndefined();
    await desk.done('workload-delete', { app: 'web', env: 'staging', all: true });
    await deploy();
    expect(at(container(), 'readinessProbe')).toBeUndefined();
  });

  test('take a port, and a workload that is not there yet', async () => {
    expect(await deploy({ probe: '/healthz' })).toMatchObject({
      fault: { code: 'BAD_INPUT', message: expect.stringContaining('write ports=8080 probe=/healthz') },
    });
    expect(world.objects.size).toBe(0);
    await deploy();
    expect(await deploy({ tag: 'v2', probe: '/healthz' })).toMatchObject({
      fault: { code: 'BAD_INPUT', message: expect.stringContaining('already and has none that asks for a path') },
    });
  });

  test('asked for once more, as a request is that is sent twice, are left as they are', async () => {
    const asked = { ports: [8080], probe: '/healthz', replicas: 2 };
    expect((await deploy(asked)).state).toBe('finished');
    const before = JSON.stringify(live());
    expect(await deploy(asked)).toMatchObject({
      state: 'finished',
      plan: { changes: [], warnings: [expect.stringContaining('web has the probe /healthz already')] },
    });
    expect(JSON.stringify(live())).toBe(before);
    expect((await deploy({ ...asked, tag: 'v2' })).state).toBe('finished');
    expect(await deploy({ ...asked, probe: '/ready' })).toMatchObject({
      fault: { code: 'BAD_INPUT', message: expect.stringContaining('already and asks for /healthz') },
    });
  });
});

test('a port that is named twice is refused before anything is asked of the cluster', async () => {
  await expect(deploy({ ports: [8080, 8080] })).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('names a port twice: name each once'),
  });
});

describe('its Service', () => {
  test('is a line of the plan of its own, before all others, and comes before the pods', async () => {
    const run = await deploy({ ports: [80] });
    const paths = shown(run.plan);
    expect(paths[0]).toBe('Service/web');
    expect(paths).toContainEqual(expect.stringMatching(/^Service\/web spec\.ports/));
    expect(world.applied).toMatchObject([{ image: undefined }, { image: expect.stringContaining('web:v1') }]);
  });

  test('is not made where one finds the pods already', async () => {
    put(service('front', { 'app.kubernetes.io/name': 'web' }));
    put(service('web', { app: 'other' }));
    const run = await deploy({ ports: [80] });
    expect(run).toMatchObject({ state: 'finished' });
    expect(shown(run.plan)).not.toContain('Service/web');
  });

  test.each([
    [{ app: 'other' }, 'it leads to app=other'],
    [undefined, 'it leads to no pods of its own'],
  ])('that has its name and leads elsewhere (%s) stops it, and nothing is changed', async (selector, words) => {
    put(service('web', selector));
    const run = await deploy({ ports: [80] });
    expect(run).toMatchObject({ fault: { code: 'SERVICE_ELSEWHERE', message: expect.stringContaining(words) } });
    expect(world.applied).toEqual([]);
  });

  test('is made when what comes after it was refused and is asked for again', async () => {
    const { apply } = world.kube;
    world.kube.apply = async (manifest, ...rest) => {
      if (manifest.kind === 'Deployment') throw refusal;
      return await apply(manifest, ...rest);
    };
    expect(await deploy({ ports: [80] })).toMatchObject({
      fault: {
        code: 'PARTLY_APPLIED',
        message: expect.stringContaining('Done: Service/web. Not done: Deployment/web.'),
      },
    });
    world.kube.apply = apply;
    expect(await deploy({ ports: [80] })).toMatchObject({ state: 'finished' });
    expect(live('Service staging/web')).toBeDefined();
  });

  test('needs a name that begins with a letter: without one it is left out, with a word of it', async () => {
    given({}, { '1web': { image } });
    const run = await deploy({ ports: [80] }, '1web');
    expect(run).toMatchObject({
      state: 'finished',
      plan: { warnings: [expect.stringContaining('begins with a letter')] },
    });
  });

  test('is not for what is there: a second deploy with ports makes none', async () => {
    await deploy();
    expect(shown((await deploy({ tag: 'v2', ports: [80] })).plan)).not.toContain('Service/web');
    expect(live('Service staging/web')).toBeUndefined();
  });
});

describe('a neighbour', () => {
  const running = (kind: string, name: string, labels: JsonObject, apiVersion = 'apps/v1'): JsonObject => {
    const spec = { containers: [{ name, image: 'redis:8' }] };
    const object = { apiVersion, kind, metadata: { name, namespace: 'staging' } };
    return { ...object, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } };
  };
  const putRunning = (kind: string, name: string, labels: JsonObject, apiVersion?: string) =>
    world.objects.set(
      kind === 'Deployment' ? `staging/${name}` : `${kind} staging/${name}`,
      running(kind, name, labels, apiVersion),
    );
  const pod = (metadata: JsonObject, phase = 'Running') =>
    put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-1', namespace: 'staging', labels: { 'app.kubernetes.io/name': 'web' }, ...metadata },
      status: { phase },
    });
  const owner = (kind: string, name: string): JsonObject => ({ ownerReferences: [{ kind, name, controller: true }] });
  const byName = { 'app.kubernetes.io/name': 'web' };

  test.each([
    ['StatefulSet', undefined],
    ['DaemonSet', undefined],
  ] as const)('that is a %s of the very name stops it, and nothing is changed', async (kind, apiVersion) => {
    putRunning(kind, 'web', { app: 'other' }, apiVersion);
    const fault = {
      code: 'NAME_OF_OTHER_KIND',
      message: expect.stringContaining(`There is a ${kind} “web” in staging`),
    };
    for (const more of [{}, { ports: [80] }]) expect(await deploy(more)).toMatchObject({ state: 'failed', fault });
    expect(world.applied).toEqual([]);
  });

  test('whose Service would choose the new pods stops it, with the names of both', async () => {
    putRunning('StatefulSet', 'cache', byName);
    put(service('cache', byName));
    const words = 'The Service “cache” in staging leads to pods of StatefulSet/cache (app.kubernetes.io/name=web)';
    for (const more of [{}, { ports: [80] }])
      expect(await deploy(more)).toMatchObject({
        state: 'failed',
        fault: { code: 'SERVICE_OF_ANOTHER', message: expect.stringContaining(words) },
      });
    expect(world.applied).toEqual([]);
  });

  test('whose pods the new Service would choose stops it, and without a Service it goes on', async () => {
    putRunning('Deployment', 'payments', byName);
    expect(await deploy({ ports: [80] })).toMatchObject({
      fault: {
        code: 'SERVICE_OF_ANOTHER',
        message: expect.stringContaining('would lead to pods of Deployment/payments'),
      },
    });
    expect(world.applied).toEqual([]);
    expect(await deploy()).toMatchObject({ state: 'finished' });
  });

  test.each([
    ['an operator’s', owner('Cluster', 'pg'), 'pods of Cluster/pg'],
    ['nobody’s', {}, 'pods of Pod/web-1'],
  ])('with pods that are %s stops it as well', async (_, metadata, words) => {
    put(service('pg', byName));
    pod(metadata);
    expect(await deploy()).toMatchObject({
      fault: { code: 'SERVICE_OF_ANOTHER', message: expect.stringContaining(words) },
    });
  });

  test.each([
    ['that end', { ...owner('Cluster', 'pg'), deletionTimestamp: '2026-11-30T00:00:00Z' }, 'Running'],
    ['that have ended', owner('Cluster', 'pg'), 'Succeeded'],
    ['that are left of the last workload of its name', owner('ReplicaSet', 'web-5d9c'), 'Running'],
  ])('with pods %s does not', async (_, metadata, phase) => {
    put(service('web', byName));
    pod(metadata, phase);
    expect(await deploy()).toMatchObject({ state: 'finished' });
  });

  test('that leads to nobody yet is told of in the plan', async () => {
    put(service('front', byName));
    const told = [
      expect.stringContaining('The Service front chooses the new pods (app.kubernetes.io/name=web) as it is'),
    ];
    expect(await deploy({ ports: [80] })).toMatchObject({ state: 'finished', plan: { warnings: told } });
    await desk.done('workload-delete', { app: 'web', env: 'staging' });
    expect(await deploy()).toMatchObject({ state: 'finished', plan: { warnings: told } });
  });

  test('that goes by what all new workloads bear is for all of them: it is told of, and stops nothing', async () => {
    gives({ labels: { team: 'shop' } });
    putRunning('Deployment', 'other', { team: 'shop', app: 'other' });
    put(service('metrics', { team: 'shop' }));
    const told = [expect.stringContaining('The Service metrics chooses the new pods (team=shop)')];
    expect(await deploy()).toMatchObject({ state: 'finished', plan: { warnings: told } });
  });

  describe('that goes by what all new workloads bear', () => {
    const metrics = service('metrics', { team: 'shop' });
    const other = '127.0.0.1:5000/other';
    const canary = (app?: string) => deploy({ tag: 'v2', strategy: 'canary', weights: [20, 100] }, app);
    const alone = (apps: string[]) => {
      const policy = [
        { name: 'theirs', operations: ['deploy'], apps },
        { name: 'asks', approvals: 1, approvers: ['engineers'] },
      ];
      settings = SettingsSchema.parse({ ...settings, policy });
    };

    beforeEach(() => {
      given({ newWorkloads: { labels: { team: 'shop' } } }, { other: { image: other } });
      for (const n of [1, 2]) world.digests.set(`${other}:v${n}`, `sha256:${String(n).repeat(64)}`);
      put({ ...metrics, spec: { clusterIP: 'None', selector: { team: 'shop' }, ports: [{ port: 9090 }] } });
    });

    test('is no app’s own: a new workload gets its Service, and a canary goes by that', async () => {
      const run = await deploy({ ports: [80] });
      expect(run.plan?.changes[0]).toMatchObject({ path: 'Service/web' });
      const told = 'The Service metrics chooses the new pods (team=shop), as those of all new workloads, and';
      expect(run.plan?.warnings).toEqual([expect.stringContaining(told)]);
      const routed = { web: { image, rollout: { router: 'istio' as const } } };
      given({ newWorkloads: { labels: { team: 'shop' } } }, routed);
      alone([]);
      const next = await canary();
      expect(next).toMatchObject({ state: 'awaiting', plan: { rollout: { service: 'web', ports: [80] } } });
      // The canary’s pods are among those of all, as stable’s are.
      const writes = JSON.stringify(next.plan?.writes);
      expect(writes).toContain('"team":"shop"');
      expect(writes).not.toContain('"team":"web-canary"');
    });

    test('names no pods of a StatefulSet: its own Service does', async () => {
      given({ newWorkloads: { labels: { team: 'shop' } } }, { db: { image, kind: 'StatefulSet' } });
      await deploy({ ports: [80] }, 'db');
      expect(at(live('StatefulSet staging/db'), 'spec', 'serviceName')).toBe('db');
    });

    test('is joined by who may ship one app alone: that is no change of the others', async () => {
      expect((await deploy({ ports: [80] })).state).toBe('finished');
      alone(['other']);
      const run = await deploy({ ports: [80] }, 'other');
      expect(run).toMatchObject({ state: 'finished' });
      expect(run.plan?.touches).toBeUndefined();
      // The Service itself is all of theirs.
      const changed = { ...metrics, spec: { selector: { team: 'shop' }, ports: [{ port: 9091 }] } };
      expect(await desk.done('apply', { env: 'staging', manifest: JSON.stringify(changed) })).toMatchObject({
        state: 'awaiting',
        plan: { touches: [{ app: 'other' }, { app: 'web' }] },
      });
    });

    test('has no traffic to shift, unless it has the app’s name or settings name it', async () => {
      await deploy();
      expect(await canary()).toMatchObject({
        fault: { code: 'CANARY_IMPOSSIBLE', message: expect.stringContaining('no Service leads to its pods alone') },
      });
      given({ newWorkloads: { labels: { team: 'shop' } } }, { web: { image, rollout: { service: 'metrics' } } });
      alone([]);
      expect(await canary()).toMatchObject({ state: 'awaiting', plan: { rollout: { service: 'metrics' } } });
      put(service('other', { team: 'shop' }));
      given({ newWorkloads: { labels: { team: 'shop' } } }, { other: { image: other } });
      const run = await deploy({ ports: [80] }, 'other');
      expect(shown(run.plan)).not.toContain('Service/other');
      alone([]);
      expect(await canary('other')).toMatchObject({ state: 'awaiting', plan: { rollout: { service: 'other' } } });
    });
  });
});

test('what is there stays as it is but for the image, whatever the settings have become', async () => {
  await deploy({ ports: [80], replicas: 2, probe: '/healthz' });
  const before = JSON.stringify(live());
  gives({ labels: { team: 'two' }, requests: { cpu: '1' }, terminationGracePeriodSeconds: 60, preStopSeconds: 20 });
  runAs('root');
  const next = await deploy({ tag: 'v2' });
  expect(next.plan).toMatchObject({ changes: [{ path: 'spec.template.spec.containers[web].image' }] });
  expect(next.plan?.warnings).toBeUndefined();
  expect(JSON.stringify(live())).toBe(before.replace(/web:v1@sha256:1{64}/, `web:v2@sha256:${'2'.repeat(64)}`));
});

describe('a name that grows too long once what belongs to it has one', () => {
  const named = (kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', letters: number) => {
    const name = 'x'.repeat(letters);
    given({}, { [name]: { image, kind } });
    return deploy({}, name);
  };

  test.each([
    ['Deployment', 54],
    ['StatefulSet', 52],
  ] as const)('a %s may have %i letters, and one more is refused with its sentence', async (kind, most) => {
    expect(await named(kind, most + 1)).toMatchObject({
      fault: {
        code: 'NAME_TOO_LONG',
        message: expect.stringContaining(`has ${most + 1} letters, and a new ${kind} may have at most ${most}`),
      },
    });
    expect(world.objects.size).toBe(0);
    expect(await named(kind, most)).toMatchObject({ state: 'finished' });
  });

  test('a DaemonSet has nothing beside it: Kubernetes’ own limit is its', async () => {
    expect(await named('DaemonSet', 63)).toMatchObject({ state: 'finished' });
  });

  test('one that is there already is deployed as before, and refused only as a canary', async () => {
    const name = 'x'.repeat(60);
    given({}, { [name]: { image } });
    const labels = { app: 'x' };
    const spec = { containers: [{ name, image: `${image}:v1` }] };
    const template = { metadata: { labels }, spec };
    world.objects.set(`staging/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'staging' },
      spec: { selector: { matchLabels: labels }, template },
    });
    put(service('x', labels));
    expect(await deploy({ tag: 'v2' }, name)).toMatchObject({ state: 'finished' });
    expect(await deploy({ tag: 'v3', strategy: 'canary' }, name)).toMatchObject({
      fault: {
        code: 'CANARY_IMPOSSIBLE',
        message: expect.stringContaining(`${name}-canary would have 67 letters, and Kubernetes takes 63`),
      },
    });
  });
});

test('an app that is called like another’s canary is not taken for it, though Shipmate made it', async () => {
  given({}, { 'web-canary': { image } });
  await deploy({ ports: [80] });
  await deploy({}, 'web-canary');
  expect(await deploy({ tag: 'v2', strategy: 'canary' })).toMatchObject({
    fault: { code: 'CANARY_IMPOSSIBLE', message: expect.stringContaining('there is a Deployment/web-canary already') },
  });
});
