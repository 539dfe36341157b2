import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { type Rule, Settings } from '../../src/core/settings.ts';
import { bed } from '../support/bed.ts';
import { docker } from '../support/docker-cli.ts';
import { ben } from '../support/engine.ts';
import { installIstioKinds } from '../support/istio-crds.ts';
import { kubectl } from '../support/kubectl.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';

/** On a real cluster: whatever changes an app, by whatever route, is judged as a change of that app. */

let desk: RealDesk;
let ns = '';
let plain: Settings;
const own = `effects-${process.pid}`;

beforeAll(async () => {
  [desk] = await Promise.all([
    realDesk({
      staging: { debug: { images: [bed.busybox] } },
      dockerHosts: { build: { address: bed.dockerHost, env: 'production' } },
    }),
    installIstioKinds(),
  ]);
  plain = desk.engine.settings();
  ns = desk.namespaces.staging;
  await kubectl(['create', 'configmap', 'web-config', '-n', ns, '--from-literal=LEVEL=info']);
  expect(await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' })).toMatchObject({ state: 'finished' });
  const envFrom = [{ configMapRef: { name: 'web-config' } }];
  const patch = { spec: { template: { spec: { containers: [{ name: 'web', envFrom }] } } } };
  await kubectl(['patch', 'deployment', 'web', '-n', ns, '-p', JSON.stringify(patch)]);
  await kubectl(['rollout', 'status', 'deployment/web', '-n', ns, '--timeout=60s']);
  await kubectl(['expose', 'deployment', 'web', '-n', ns, '--name=front', '--port=80', '--target-port=8080']);
}, 120_000);
afterAll(async () => {
  const left = await docker('ps', '-aq', '--filter', `name=${own}`);
  if (left !== '') await docker('rm', '-fv', ...left.split('\n'));
  await desk.end();
});

const given = (rules: Partial<Rule>[], change: object = {}): void => {
  const settings = Settings.parse({ ...plain, policy: [...rules, ...plain.policy], ...change });
  desk.engine.settings = () => settings;
};

const deployed = async () => JSON.parse(await kubectl(['get', 'deployment', 'web', '-n', ns, '-o', 'json'])).spec;
const lookalike = async () => {
  const { selector, template } = await deployed();
  const containers = [{ name: 'evil', image: bed.busybox, command: ['sleep', '3600'] }];
  const metadata = { labels: { ...template.metadata.labels, more: 'yes' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'lookalike' },
    spec: {
      selector: { matchLabels: { ...selector.matchLabels, more: 'yes' } },
      template: { metadata, spec: { containers } },
    },
  };
};
const image = async (name: string) => {
  const { selector, template } = await deployed();
  const { labels } = template.metadata;
  const containers = [
    { name: 'web', image: `${bed.registryHost}/${name}`, envFrom: template.spec.containers[0].envFrom },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels },
    spec: { selector, template: { metadata: { labels }, spec: { containers } } },
  };
};

/** Each way to change the app that names the environment alone, and the operation that is meant for it. */
const ways: [string, string, () => Promise<object> | object][] = [
  ['apply', 'deploy', async () => ({ manifest: JSON.stringify(await image('web:v2')) })],
  ['apply', 'deploy', async () => ({ manifest: JSON.stringify(await lookalike()) })],
  ['config-set', 'config-set', () => ({ name: 'web-config', values: ['LEVEL=debug'] })],
  ['config-set', 'restart', () => ({ name: 'web-config', values: ['LEVEL=debug'], restart: true })],
  ['traffic-set', 'traffic-set', () => ({ service: 'front', timeout: '3s' })],
  ['route-set', 'route-set', () => ({ url: `${own}.example.com`, service: 'front', port: 80 })],
  ['service-delete', 'service-delete', () => ({ name: 'front' })],
  ['debug', 'debug', () => ({ app: 'web' })],
];

test.each(ways)('%s that does what %s does is refused while the app is locked', async (operation, _, input) => {
  given([]);
  await desk.done('lock', { app: 'web', env: 'staging', reason: 'migrating' }, ben);
  const before = await deployed();
  expect(await desk.done(operation, { env: 'staging', ...(await input()) })).toMatchObject({
    state: 'denied',
    fault: { code: 'LOCKED' },
  });
  await desk.done('unlock', { app: 'web', env: 'staging' }, ben);
  expect(await deployed()).toEqual(before);
});

test.each(ways)('%s that does what %s does needs the yes that this takes', async (operation, meant, input) => {
  const { name, ...rule } = { name: `${meant} of web`, operations: [meant], apps: ['web'], approvals: 1 };
  given([{ name, ...rule, approvers: ['engineers'] }]);
  expect(await desk.done(operation, { env: 'staging', ...(await input()) })).toMatchObject({
    state: 'awaiting',
    verdict: { rule: name },
  });
});

test('what was approved of all that it changes goes out', async () => {
  given([{ name: 'web', operations: ['deploy'], apps: ['web'], approvals: 1, approvers: ['engineers'] }]);
  const { id } = await desk.done('apply', { env: 'staging', manifest: JSON.stringify(await image('web:v2')) });
  await desk.approve(id, ben);
  expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
  expect((await deployed()).template.spec.containers[0].image).toContain('web:v2');
});

test('an image that was not scanned gets in by no manifest, debug container or Docker host', async () => {
  const scan = { critical: 'block' };
  const { staging, production } = plain.environments;
  given([{ name: 'all', who: ['engineers'] }], {
    environments: { staging: { ...staging, scan }, production: { ...production, scan } },
  });
  const digest = `sha256:${'1'.repeat(64)}`;
  const tried = async (named: string): Promise<(string | undefined)[]> => {
    const spec = { restartPolicy: 'Never', containers: [{ name: 'p', image: named }] };
    const metadata = { name: 'p' };
    const manifest = JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: { spec } } });
    const runs: Run[] = [
      await desk.done('apply', { env: 'staging', manifest }),
      await desk.done('docker-run', { image: named, name: own, host: 'build', command: ['sleep', '1'] }),
    ];
    return runs.map(({ fault }) => fault?.code);
  };
  expect(await tried(bed.busybox)).toEqual(['IMAGE_UNPINNED', 'IMAGE_UNPINNED']);
  expect(await tried(`${bed.registryHost}/web@${digest}`)).toEqual(['SCAN_MISSING', 'SCAN_MISSING']);
  expect((await desk.done('debug', { app: 'web', env: 'staging' })).fault?.code).toBe('IMAGE_UNPINNED');
  expect(await kubectl(['get', 'job', 'p', '-n', ns, '--ignore-not-found'])).toBe('');
});
