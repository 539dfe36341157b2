import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
const own = ['verticalpodautoscalers.autoscaling.k8s.io', 'verticalpodautoscalercheckpoints.autoscaling.k8s.io'];
const small = ['scaledobjects.keda.sh', 'nodepools.karpenter.sh'];

/** The definition that the VerticalPodAutoscaler itself is installed with. */
async function vpaDefinition(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'shipmate-vpa-'));
  const module = 'k8s.io/autoscaler/vertical-pod-autoscaler@v1.4.1';
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { cwd: dir });
  await rm(dir, { recursive: true });
  return await readFile(join(JSON.parse(stdout).Dir, 'deploy/vpa-v1-crd-gen.yaml'), 'utf8');
}

function definition(group: string, version: string, kind: string, scope: string): object {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

beforeAll(async () => {
  desk = await realDesk();
});
afterAll(async () => {
  await desk.end();
  await kubectl(['delete', 'crd', ...own, ...small, '--ignore-not-found', '--wait=false']);
});

const inStaging = (args: string[], stdin?: string) => kubectl([...args, '-n', desk.namespaces.staging], stdin);
const make = (object: object) => inStaging(['apply', '-f', '-'], JSON.stringify(object));
const json = async (args: string[]) => JSON.parse(await inStaging(['get', ...args, '-o', 'json']));

test('a cluster without add-ons is no fault; asked for by name, it is', async () => {
  expect(await desk.done('autoscalers', { env: 'staging' })).toMatchObject({
    state: 'finished',
    report: { rows: [], note: expect.stringContaining('Nothing scales by itself') },
  });
  expect(await desk.done('nodepools', { env: 'staging' })).toMatchObject({ fault: { code: 'UNKNOWN_KIND' } });
});

test('a VerticalPodAutoscaler is made, shows what it recommends, and changes its mode', async () => {
  await kubectl(['apply', '-f', '-'], await vpaDefinition());
  await kubectl(['wait', '--for=condition=Established', `crd/${own[0]}`, '--timeout=30s']);
  const labels = { app: 'api' };
  const containers = [{ name: 'api', image: 'none', resources: { requests: { cpu: '1', memory: '1Gi' } } }];
  await make({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api' },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  const input = { app: 'deployment/api', env: 'staging' };
  expect(await desk.done('vpa', input)).toMatchObject({ fault: { code: 'NO_SUCH_OBJECT' } });
  const made = await desk.done('vpa-set', { ...input, mode: 'off' });
  expect(made).toMatchObject({ state: 'finished', plan: { summary: 'new, Off. It only recommends.' } });
  expect((await json(['vpa/api'])).spec).toEqual({
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
    updatePolicy: { updateMode: 'Off' },
  });
  expect(await desk.done('vpa', input)).toMatchObject({
    report: { rows: [], note: expect.stringContaining('No recommendation yet') },
  });

  const target = { cpu: '250m', memory: '262144k' };
  const bounds = { lowerBound: { cpu: '25m', memory: '100Mi' }, upperBound: { cpu: '2', memory: '1Gi' } };
  const containerRecommendations = [{ containerName: 'api', target, ...bounds }];
  const status = JSON.stringify({ status: { recommendation: { containerRecommendations } } });
  await inStaging(['patch', 'vpa/api', '--subresource=status', '--type=merge', '-p', status]);
  expect(await desk.done('vpa', input)).toMatchObject({
    report: {
      rows: [
        ['api', 'cpu', '1', '250m', '25m to 2'],
        ['api', 'memory', '1Gi', '250Mi', '100Mi to 1Gi'],
      ],
      note: 'Mode Off: It only recommends.',
    },
  });
  const set = await desk.done('vpa-set', { ...input, mode: 'inplace' });
  expect(set.plan?.changes).toEqual([
    { path: 'VerticalPodAutoscaler/api spec.updatePolicy.updateMode', from: 'Off', to: 'InPlaceOrRecreate' },
  ]);
  expect(set.plan?.undo).toEqual({ operation: 'vpa-set', input: { ...input, mode: 'off' } });
  expect((await json(['vpa/api'])).spec.updatePolicy.updateMode).toBe('InPlaceOrRecreate');
  const { report } = await desk.done('autoscalers', { env: 'staging' });
  expect(JSON.stringify(report)).toContain('recommends api 250m/250Mi');
  await expect(desk.done('vpa-set', { ...input, mode: 'sometimes' })).rejects.toThrow('must be off, initial');
});

test('a ScaledObject of KEDA is shown, paused, held and let go again', async () => {
  await kubectl(['apply', '-f', '-'], JSON.stringify(definition('keda.sh', 'v1alpha1', 'ScaledObject', 'Namespaced')));
  await kubectl(['wait', '--for=condition=Established', 'crd/scaledobjects.keda.sh', '--timeout=30s']);
  const spec = { scaleTargetRef: { name: 'jobs' }, maxReplicaCount: 20, triggers: [{ type: 'kafka' }] };
  await make({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'by-kafka' }, spec });
  const stateOf = async () => {
    const { report } = await desk.done('autoscalers', { env: 'staging' });
    if (report?.kind !== 'table') throw new Error('no table');
    return report.rows.find(([name]) => name === 'KEDA by-kafka');
  };
  const annotations = async () => (await json(['scaledobjects/by-kafka'])).metadata.annotations;
  expect(await stateOf()).toEqual(['KEDA by-kafka', 'Deployment/jobs', '', '0..20', 'kafka', 'idle']);

  const paused = await desk.done('keda-pause', { name: 'jobs', env: 'staging' });
  expect(paused).toMatchObject({ state: 'finished', report: { objects: ['ScaledObject/by-kafka'] } });
  expect(await annotations()).toMatchObject({ 'autoscaling.keda.sh/paused': 'true' });
  expect((await stateOf())?.[5]).toBe('paused');

  expect(await desk.done('keda-pause', { name: 'by-kafka', env: 'staging', replicas: 4 })).toMatchObject({
    state: 'finished',
  });
  expect(await annotations()).toMatchObject({ 'autoscaling.keda.sh/paused-replicas': '4' });
  expect((await stateOf())?.[5]).toBe('paused at 4 pods');

  const { operation = '', input = {} } = paused.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished' });
  expect(JSON.stringify(await annotations())).not.toContain('autoscaling.keda.sh/paused');
  expect(await desk.done('keda-resume', { name: 'by-kafka', env: 'staging' })).toMatchObject({
    report: { kind: 'unchanged' },
  });
  expect(await desk.done('keda-pause', { name: 'by-kafkas', env: 'staging' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('Did you mean “by-kafka”?') },
  });
});

test('a NodePool of Karpenter shows what it uses, and gets a limit', async () => {
  await kubectl(['apply', '-f', '-'], JSON.stringify(definition('karpenter.sh', 'v1', 'NodePool', 'Cluster')));
  await kubectl(['wait', '--for=condition=Established', 'crd/nodepools.karpenter.sh', '--timeout=30s']);
  const object = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'default' } };
  const spec = { limits: { cpu: '100' }, template: { kept: true } };
  await kubectl(['apply', '-f', '-'], JSON.stringify({ ...object, spec }));
  const status = JSON.stringify({ status: { resources: { cpu: '62', nodes: '4' } } });
  await kubectl(['patch', 'nodepool/default', '--subresource=status', '--type=merge', '-p', status]);
  expect(await desk.done('nodepools', { env: 'staging' })).toMatchObject({
    report: { rows: [['default', '4', '▓▓▓▓▓▓░░░░ 62 % (62 of 100)', '0, no limit', 'ready']] },
  });
  const input = { pool: 'default', env: 'staging' };
  const run = await desk.done('nodepool-limit', { ...input, cpu: '50', memory: '400Gi' });
  expect(run).toMatchObject({ state: 'finished', plan: { summary: expect.stringContaining('uses 62 cpu already') } });
  const specNow = async () => JSON.parse(await kubectl(['get', 'nodepool/default', '-o', 'json'])).spec;
  expect(await specNow()).toEqual({ limits: { cpu: '50', memory: '400Gi' }, template: { kept: true } });
  const { operation = '', input: back = {} } = run.plan?.undo ?? {};
  expect(await desk.done(operation, back)).toMatchObject({ state: 'finished' });
  expect(await specNow()).toEqual({ limits: { cpu: '100' }, template: { kept: true } });
  expect(await desk.done('nodepool-limit', input)).toMatchObject({ fault: { code: 'BAD_INPUT' } });
  expect(await desk.done('nodepool-limit', { ...input, pool: 'defualt', cpu: '1' })).toMatchObject({
    fault: { message: expect.stringContaining('Did you mean “default”?') },
  });
});
