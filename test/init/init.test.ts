import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createSlackClient } from '../../handlers/slack/client.ts';
import { glance } from '../../handlers/slack/glance.ts';
import { parseSettings } from '../../src/config/settings-file.ts';
import { appEntry } from '../../src/core/apps.ts';
import { fault } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { isProduction } from '../../src/core/place.ts';
import type { Settings } from '../../src/core/settings.ts';
import { init, type World } from '../../src/init/init.ts';
import { contextsOf } from '../../src/init/world.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { startFakeSlack } from '../../testbed/slack/fake-slack.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';

/** `shipmate init`: a first shipmate.yaml from a cluster (a fake one), a registry and a workspace. */

const team = 'registry.example.com/team';
let cluster: FakeWorld;
let said: string[];
let folder: string;
beforeEach(async () => {
  cluster = fakeWorld();
  said = [];
  folder = await mkdtemp(join(tmpdir(), 'shipmate-init-'));
  return () => rm(folder, { recursive: true });
});

const nsOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, namespace: '' } });

function run(namespace: string, name: string, image: string, kind = 'Deployment', containers: JsonObject[] = []): void {
  cluster.objects.set(`Namespace /${namespace}`, nsOf(namespace));
  const spec = { containers: [...containers, { name, image }] };
  const key = kind === 'Deployment' ? `${namespace}/${name}` : `${kind} ${namespace}/${name}`;
  cluster.objects.set(key, {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: { template: { metadata: { labels: { app: name } }, spec } },
  });
}

const file = () => join(folder, 'shipmate.yaml');
async function begin(
  args: string[] = [],
  change: Partial<World> = {},
): Promise<{ code: number; text: string; settings: Settings }> {
  const world: World = {
    current: () => 'dev-cluster',
    contexts: () => ['dev-cluster', 'other'],
    kube: (context) => {
      said.push(`asked ${context}`);
      return cluster.kube;
    },
    workspace: async () => undefined,
    tags: async () => ['v1', 'v2'],
    say: (line) => void said.push(line),
    ...change,
  };
  const code = await init(['--output', file(), ...args], world);
  const text = await readFile(file(), 'utf8');
  return { code, text, settings: parseSettings(text, { name: file(), folder }, [...catalogue.keys()]) };
}

function shop(): void {
  for (const namespace of ['staging', 'production'])
    for (const name of ['cart', 'search', 'pay']) run(namespace, name, `${team}/${name}:v1`);
  run('staging', 'redis', 'redis:8');
  run('staging', 'db', 'docker.io/library/postgres:17', 'StatefulSet');
  for (const n of [12, 13]) run(`preview-${n}`, 'cart', `${team}/cart:pr${n}`);
  run('kube-system', 'coredns', 'registry.k8s.io/coredns/coredns:v1');
  run('cert-manager', 'cert-manager', 'quay.io/jetstack/cert-manager:v1');
  run('scratch', 'toy', 'docker.io/library/toy:1');
  cluster.objects.set('Namespace /empty-staging', nsOf('empty-staging'));
}

test('environments, apps by a pattern, people and a safe policy; every guess is marked', async () => {
  shop();
  const { code, text, settings } = await begin();
  expect(code).toBe(0);
  expect(settings.apps).toMatchObject({
    '*': { image: `${team}/{app}` },
    redis: { image: 'docker.io/library/redis' },
    db: { image: 'docker.io/library/postgres', kind: 'StatefulSet' },
  });
  expect(appEntry(settings, 'cart')?.its.image).toBe(`${team}/cart`);
  expect(Object.keys(settings.environments)).toEqual(['production', 'staging', 'preview-*']);
  expect(settings.environments['preview-*']?.namespace).toBe('{env}');
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(15);
  expect(lines.length).toBeLessThanOrEqual(50);
  const unmarked = lines.filter((line) => /^ /.test(line) && !line.includes('# guessed: '));
  expect(unmarked, 'each line below a heading is a guess').toEqual([]);
  expect(said).toContainEqual(expect.stringContaining(`are guessed`));
  expect(said).toContain(`2. npx shipmate check ${file()}`);
});

test('the policy lets all look, engineers try, and nobody ship to production alone', async () => {
  shop();
  const { settings } = await begin();
  const [look, trials, hold, rest] = settings.policy;
  expect(look).toMatchObject({ effects: ['read'], who: ['everyone'] });
  expect(trials).toMatchObject({ environments: ['staging'], who: ['engineers'], approvals: 0 });
  expect(hold?.operations).toEqual(['lock', 'stop', 'away', 'back']);
  expect(rest).toMatchObject({ environments: ['*'], who: ['engineers'], approvals: 1, approvers: ['engineers'] });
  expect(isProduction(settings, 'production')).toBe(true);
});

test('one namespace makes no pattern, and nothing is free on a guess of what its name says', async () => {
  const names = ['feature-flags', 'test-results', 'integration-hub', 'preview-12', 'shop-staging', 'dev2'];
  for (const name of names) run(name, 'cart', `${team}/cart:v1`);
  const { settings } = await begin();
  expect(Object.keys(settings.environments).sort()).toEqual([...names].sort());
  const free = settings.policy.filter(({ who, approvals }) => approvals === 0 && who.includes('engineers'));
  expect(free.map(({ environments }) => environments)).toEqual([['dev2', 'shop-staging'], ['*']]);
  expect(isProduction(settings, 'feature-flags')).toBe(true);
});

test.for([
  [['--context', 'othr'], 'The kubeconfig has no context “othr”. Did you mean “other”? It has: dev-cluster, other.'],
  [['--namespace', '../x'], '“../x” is no name of a namespace: those are up to 63 lower-case letters, digits and “-”.'],
] as const)('%j is refused before anything is read', async ([args, words]) => {
  await expect(begin([...args])).rejects.toThrow('ENOENT');
  expect(said).toEqual([words]);
});

test.for(['missing', 'a-file'])('a folder that is none (%s) is refused before anything is read', async (name) => {
  await writeFile(join(folder, 'a-file'), '');
  await expect(begin(['--output', join(folder, name, 'shipmate.yaml')])).rejects.toThrow('ENOENT');
  expect(said).toEqual([
    `There is no folder ${join(folder, name)} that can be written to. Make it, or name another: --output FILE`,
  ]);
});

test('a namespace that there is not is named, with the one that may be meant, and nothing is written', async () => {
  shop();
  await expect(begin(['--namespace', 'stagin', '--namespace', 'production', '--namespace', 'nope'])).rejects.toThrow(
    'ENOENT',
  );
  expect(said.at(-1)).toBe('There is no namespace “stagin”. Did you mean “staging”?\nThere is no namespace “nope”.');
  // Whoever may not look at namespaces may yet work in those that they name.
  const forbidden = async () => {
    throw fault('CLUSTER_FORBIDDEN', { cluster: 'dev-cluster', who: 'ana', what: 'get namespaces.', remedy: '' });
  };
  const kube = { ...cluster.kube, read: forbidden };
  expect(Object.keys((await begin(['--namespace', 'staging'], { kube: () => kube })).settings.environments)).toEqual([
    'staging',
  ]);
});

test('a cluster that is away is called as its context is, whatever that is', async () => {
  const path = join(folder, 'kubeconfig');
  const clusters = [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }];
  const contexts = ['minikube', 'in-cluster'].map((name) => ({ name, context: { cluster: 'c', user: 'u' } }));
  await writeFile(path, JSON.stringify({ clusters, contexts, users: [{ name: 'u', user: { token: 'x' } }] }));
  const { close, kube } = contextsOf({ KUBECONFIG: path });
  onTestFinished(close);
  for (const { name } of contexts)
    await expect(kube(name).version(AbortSignal.timeout(10_000))).rejects.toThrow(
      `The cluster “${name}” does not answer (ECONNREFUSED).`,
    );
});

test('a namespace whose name does not say what it is counts as production', async () => {
  run('blue', 'cart', `${team}/cart:v1`);
  run('shop-prod', 'cart', `${team}/cart:v1`);
  const named = await begin(['--namespace', 'blue', '--namespace', 'shop-prod']);
  expect(Object.keys(named.settings.environments)).toEqual(['blue', 'shop-prod']);
  for (const env of ['blue', 'shop-prod']) expect(isProduction(named.settings, env), env).toBe(true);
  expect(named.text).toContain('does not say what it is');
});

test('where no name speaks of an environment, all are taken that people run something in', async () => {
  run('blue', 'cart', `${team}/cart:v1`);
  run('cert-manager', 'cert-manager', 'quay.io/jetstack/cert-manager:v1');
  cluster.objects.set('Namespace /empty', nsOf('empty'));
  expect(Object.keys((await begin()).settings.environments)).toEqual(['blue']);
});

test('the context is named before anything is read, and is in the settings where it was chosen', async () => {
  shop();
  expect((await begin()).settings.environments.staging?.cluster).toBe('default');
  expect(said.slice(0, 2)).toEqual([
    'Reading the cluster of the current context “dev-cluster”; nothing is changed there.',
    'asked dev-cluster',
  ]);
  expect(cluster.applied).toEqual([]);
  await rm(file());
  expect((await begin(['--context', 'other'])).settings.environments.staging?.cluster).toBe('other');
});

test('a file that is there is left as it is, and no cluster is asked', async () => {
  await writeFile(file(), 'apps: {}\nenvironments: {}\n');
  const { code, text } = await begin();
  expect(code).toBe(1);
  expect(text).toBe('apps: {}\nenvironments: {}\n');
  expect(said).toEqual([expect.stringContaining('is there already, and is left as it is')]);
});

test('of a file that comes while the cluster is read nothing is lost', async () => {
  shop();
  const late = async () => {
    await writeFile(file(), 'apps: {}\nenvironments: {}\n');
    return undefined;
  };
  expect((await begin([], { workspace: late })).text).toBe('apps: {}\nenvironments: {}\n');
});

test('several registries, sidecars and many apps: the file stays short, and leads to the right images', async () => {
  for (let n = 0; n < 30; n++) run('staging', `tool-${n}`, `docker.io/acme/x${n}:1`);
  for (const name of ['cart', 'pay', 'web']) run('staging', name, `${team}/${name}:1`);
  for (const name of ['data-lake', 'data-mart']) run('staging', name, `other.example.com/data/${name}:1`);
  run('staging', 'api', `${team}/api:1`, 'Deployment', [
    { name: 'envoy-proxy', image: 'docker.io/envoyproxy/envoy:1' },
  ]);
  run('staging', 'odd', `${team}/main:1`, 'Deployment');
  const { text, settings } = await begin();
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(50);
  expect(text).toMatch(/and 19 more: their images lie elsewhere/);
  expect(appEntry(settings, 'data-lake')?.its.image).toBe('other.example.com/data/data-lake');
  expect(appEntry(settings, 'odd')?.its.image).toBe(`${team}/main`);
  expect(appEntry(settings, 'api')?.its.image).toBe(`${team}/api`);
});

test('names that begin alike in two registries are one pattern, and the others are written out', async () => {
  for (const name of ['cart', 'pay', 'web']) run('staging', name, `${team}/${name}:1`);
  for (const name of ['shop-a', 'shop-b']) run('staging', name, `one.example.com/${name}:1`);
  for (const name of ['shop-c', 'shop-d']) run('staging', name, `other.example.com/${name}:1`);
  const { settings } = await begin();
  expect(Object.keys(settings.apps)).toEqual(['*', 'shop-*', 'shop-c', 'shop-d']);
  expect(appEntry(settings, 'shop-b')?.its.image).toBe('one.example.com/shop-b');
  expect(appEntry(settings, 'shop-d')?.its.image).toBe('other.example.com/shop-d');
});

test('--registry says whose images are one’s own, and the registry is asked whether it tells', async () => {
  for (const name of ['cart', 'pay']) run('staging', name, `docker.io/acme/${name}:1`);
  const hidden = async () => {
    throw fault('REGISTRY_UNREACHABLE', { registry: 'docker.io', problem: 'no answer' });
  };
  const { settings } = await begin(['--registry', 'https://docker.io/acme/'], { tags: hidden });
  expect(settings.apps['*']).toMatchObject({ image: 'docker.io/acme/{app}' });
  expect(said).toContainEqual(expect.stringMatching(/no answer.*REGISTRY_URL/));
});

test('an empty cluster gives a file that is right all the same', async () => {
  const { code, settings } = await begin();
  expect(code).toBe(0);
  expect(settings.apps).toEqual({});
});

test('people and channel are those of the workspace: full members, and where shipping is talked about', async () => {
  shop();
  const slack = await startFakeSlack({ signingSecret: 'x', botToken: 'xoxb-1' });
  onTestFinished(() => slack.close());
  const seen = await glance(createSlackClient({ token: 'xoxb-1', apiUrl: slack.apiUrl }));
  const { settings, text } = await begin([], { workspace: async () => seen });
  const ids = Object.values(settings.people).map(({ slack: id }) => id);
  expect(ids).toContain('U0BEN');
  expect(ids, 'a guest').not.toContain('U0GUS');
  expect(settings.channel).toBe('C0SHIP');
  expect(settings.roles.engineers).toEqual(Object.keys(settings.people));
  expect(text).toContain('# guessed: #');
});
