import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readInput } from '../../handlers/slack/grammar.ts';
import { isOwn, ownOperations } from '../../src/core/effects/own-operation.ts';
import { AppBuild, BuildSettings } from '../../src/core/image-settings.ts';
import { at, type JsonObject } from '../../src/core/json.ts';
import type { Operation } from '../../src/core/operation.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { createSeal } from '../../src/store/seal.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import { toItsEnd } from '../support/to-its-end.ts';

/**
 * Every operation of the catalogue, each of its examples: none changes an app, by whatever route, while the app is locked or
 * frozen, or where the operation that is meant for such a change is refused.
 */

const redis = redisForFile();
const image = '127.0.0.1:5000/web';
const build = AppBuild.parse({ context: '/nowhere' });
const allWeek = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] };
const names = [...catalogue.keys()];
let engine: TestEngine;
let settings: Settings;
let aheadMs = 0;

const given = (policy: object[], more: object = {}): void => {
  settings = SettingsSchema.parse({
    ...testSettings,
    builds: BuildSettings.parse({ folders: ['/src'], repositories: ['registry.example.com/'] }),
    apps: { web: { image, build } },
    policy,
    ...more,
  });
};
const free = [{ name: 'anything goes' }];

beforeAll(async () => {
  given(free);
  const seal = createSeal([Buffer.alloc(32, 7)]);
  const now = () => Date.now() + aheadMs;
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings, seal, now });
});
afterAll(() => engine.close());

/** What the operation meant for it is, of each object of the app `web` in this world. Written by hand: an answer sheet. */
const sheet: Record<string, string> = {
  'staging/web': 'deploy',
  'Pod staging/web-6d4f9c6b7-x2v8k': 'pod-delete',
  'Service staging/web': 'service-expose',
  'HorizontalPodAutoscaler staging/web': 'autoscale',
  'VerticalPodAutoscaler staging/web': 'vpa-set',
  'ScaledObject staging/queue-worker': 'autoscale',
  'PodDisruptionBudget staging/web': 'pdb-set',
  'VirtualService staging/web': 'traffic-set',
  'DestinationRule staging/web': 'traffic-set',
  'ConfigMap staging/app-config': 'config-set',
  'Secret staging/app-secrets': 'secret-set',
  'PersistentVolumeClaim staging/data': 'volume-create',
  'Ingress staging/shop-example-com': 'route-set',
  'PeerAuthentication staging/default': 'mtls',
};

const template = (object: JsonObject | undefined) => at(object, 'spec', 'template', 'spec') as JsonObject;

/** The app as the sheet has it: its pods read and mount what the examples of the catalogue speak of. */
function dress({ objects }: FakeWorld): void {
  const web = objects.get('staging/web');
  Object.assign(template(web), {
    volumes: [
      { name: 'config', configMap: { name: 'app-config' } },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ],
  });
  Object.assign(at(template(web), 'containers', 0) as JsonObject, {
    envFrom: [{ secretRef: { name: 'app-secrets' } }],
  });
  const labels = at(web, 'spec', 'template', 'metadata', 'labels') as JsonObject;
  Object.assign(labels, { app: 'web' });
  const pod = objects.get('Pod staging/web-6d4f9c6b7-x2v8k');
  Object.assign(pod?.metadata as JsonObject, { labels });
}

const pass = (ms: number) => {
  aheadMs += ms;
};

type Tried = { end: string; changed: { key: string; meant: string }[] };

/** What is meant for the change of an object: for some it matters how it changed. */
function meantBy(key: string, before: JsonObject | undefined, after: JsonObject | undefined): string {
  const meant = sheet[key] ?? key;
  const marked = JSON.stringify(template(before)) === JSON.stringify(template(after));
  if (meant === 'deploy' && marked) return 'restart';
  return meant === 'volume-create' && !after ? 'volume-delete' : meant;
}

/** Tries an example in a world of its own, and tells which objects of the app it changed. */
async function tried(operation: Operation, example: string, before: (desk: Desk) => Promise<void>): Promise<Tried> {
  await engine.redis.flushall();
  const world = fakeWorld();
  stock(world);
  furnish(world);
  Object.assign(engine.clients, world.clients);
  const desk = createDesk(engine);
  given(free);
  for (const tag of ['v1', 'v3']) await toItsEnd(engine, desk, await desk.deploy('staging', tag, ben), pass);
  dress(world);
  const manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app-config"}, "data": {"a": "b"}}';
  const applied = await desk.ask('apply', { env: 'staging', manifest }, ben);
  await toItsEnd(engine, desk, applied, pass);
  await before(desk);
  const was = new Map(Object.keys(sheet).map((key) => [key, structuredClone(world.objects.get(key))]));
  const ran = world.executed.length;
  const input = readInput(operation, example);
  const asked = operation.fields.get('run')?.required ? { ...input, run: applied } : input;
  const end = await desk.ask(operation.name, asked).then(
    (id) => toItsEnd(engine, desk, id, pass),
    (thrown: { code?: string }) => thrown.code ?? 'thrown',
  );
  await desk.leases.stop();
  const changed = [...was].filter(([key, old]) => JSON.stringify(world.objects.get(key)) !== JSON.stringify(old));
  const meant = changed.map(([key, old]) => ({ key, meant: meantBy(key, old, world.objects.get(key)) }));
  const said = world.executed.length > ran && operation.name === 'exec' ? [{ key: 'a command', meant: 'exec' }] : [];
  return { end, changed: [...meant, ...said] };
}

const changing = [...catalogue.values()].filter(({ effect, aside }) => effect === 'change' && !aside);
const seen = new Set<string>();

describe.each(changing.map((operation) => [operation.name, operation] as const))('%s', (_, operation) => {
  test.each(operation.examples.map((example) => [example]))('%s', { timeout: 60_000 }, async (example) => {
    const { changed } = await tried(operation, example, async () => {});
    for (const { key } of changed) seen.add(key);
    if (changed.length === 0) return;
    const locked = await tried(operation, example, async (desk) => {
      await desk.done('lock', { app: 'web', env: 'staging', reason: 'migrating' }, ben);
    });
    expect(locked, 'a lock of the app').toEqual({ end: 'LOCKED', changed: [] });
    const frozen = await tried(operation, example, async () =>
      given(free, { freezes: [{ name: 'all week', apps: ['web'], weekly: allWeek }] }),
    );
    expect(frozen, 'a freeze of the app').toEqual({ end: 'FROZEN', changed: [] });
    for (const meant of new Set(changed.map((each) => each.meant))) {
      // Whoever asks for the app itself, or for what is meant for it, asked the right question.
      const { app } = operation.target(readInput(operation, example) as JsonObject);
      if (isOwn(meant, operation.name) || app === 'web') continue;
      const others = names.filter((name) => name !== meant);
      const refused = await tried(operation, example, async () => given([{ name: 'all but one', operations: others }]));
      expect(refused, `where ${meant} is allowed to nobody`).toEqual({ end: 'POLICY_DENIED', changed: [] });
    }
  });
});

test('the operations that changes are held to are those of the catalogue', () => {
  expect(ownOperations.filter((name) => !catalogue.has(name))).toEqual([]);
});

test('the examples change most of what an app is made of, so this says something', () => {
  expect([...seen].sort()).toEqual(
    expect.arrayContaining([
      'ConfigMap staging/app-config',
      'HorizontalPodAutoscaler staging/web',
      'Pod staging/web-6d4f9c6b7-x2v8k',
      'Secret staging/app-secrets',
      'Service staging/web',
      'VirtualService staging/web',
      'staging/web',
    ]),
  );
});
