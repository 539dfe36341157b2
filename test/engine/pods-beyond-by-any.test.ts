import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readInput } from '../../handlers/slack/grammar.ts';
import { podSpecsIn } from '../../src/core/effects/pod-specs.ts';
import { at, isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { Operation } from '../../src/core/operation.ts';
import type { Draft, Write } from '../../src/core/plan.ts';
import { Settings as SettingsSchema } from '../../src/core/settings.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, stock } from '../support/desk.ts';
import { ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import { toItsEnd } from '../support/to-its-end.ts';

/**
 * Every operation of the catalogue, each of its examples: one that writes pods is refused where those that it would write go
 * beyond the level of their environment, and did not before. Its plan is bent, so that whatever it writes asks for more.
 */

const redis = redisForFile();
const settings = SettingsSchema.parse({
  ...testSettings,
  policy: [{ name: 'anything goes' }, { name: 'what is no app, too', uncovered: true }],
});
let engine: TestEngine;
let aheadMs = 0;

/** The pods within ask for the node's processes, and containers beside them for the node itself. */
function bentIn(value: Json): Json {
  if (Array.isArray(value)) return value.map(bentIn);
  if (!isObject(value)) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([name, below]) => [name, bentIn(below)]));
  const beside = Array.isArray(inner.ephemeralContainers) ? inner.ephemeralContainers.filter(isObject) : undefined;
  const securityContext = { privileged: true };
  return {
    ...inner,
    ...(Array.isArray(inner.containers) && { hostPID: true }),
    ...(beside && { ephemeralContainers: beside.map((each) => ({ ...each, securityContext })) }),
  };
}

const bentObject = (object: JsonObject): JsonObject => bentIn(object) as JsonObject;

function bentWrite(write: Write): Write {
  switch (write.kind) {
    case 'apply':
    case 'create':
      return { ...write, manifest: bentObject(write.manifest) };
    case 'merge':
      return { ...write, patch: bentObject(write.patch) };
    case 'edit':
      return { ...write, edits: write.edits.map((edit) => ({ ...edit, ...(edit.to && { to: bentIn(edit.to) }) })) };
    case 'remove':
      return write;
    default:
      return write satisfies never;
  }
}

const bent = (draft: Draft): Draft => ({
  ...draft,
  ...(draft.manifest && { manifest: bentObject(draft.manifest) }),
  ...(draft.writes && { writes: draft.writes.map(bentWrite) }),
});

const bentBy = (bend: (draft: Draft) => Draft) =>
  new Map(
    [...catalogue].map(([name, operation]): [string, Operation] => [
      name,
      { ...operation, plan: async (context, input) => bend(await operation.plan(context, input)) },
    ]),
  );
const worse = bentBy(bent);
/** What stands beside the workload alone: that of a canary. */
const worseBeside = bentBy(({ manifest, ...draft }) => ({ ...bent(draft), ...(manifest && { manifest }) }));

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, {
    settings: () => settings,
    now: () => Date.now() + aheadMs,
  });
});
afterAll(() => engine.close());

const pass = (ms: number) => {
  aheadMs += ms;
};

/** All pods that the world would run, each by the object that it is of. */
const podsOf = ({ objects }: FakeWorld): string[] =>
  [...objects].flatMap(([key, object]) => podSpecsIn(object).map(({ spec }) => `${key} ${JSON.stringify(spec)}`));

/** Tries an example in a world of its own, and tells what it came to and which pods are new there. */
async function tried(operation: Operation, given: string | Record<string, unknown>, operations: typeof worse) {
  await engine.redis.flushall();
  const world = fakeWorld();
  stock(world);
  furnish(world);
  Object.assign(engine.clients, world.clients);
  const desk = createDesk(engine);
  engine.catalogue = catalogue;
  for (const tag of ['v1', 'v3'])
    for (const env of ['staging', 'production']) await toItsEnd(engine, desk, await desk.deploy(env, tag, ben), pass);
  for (const env of ['staging', 'production']) {
    const labels = at(world.objects.get(`${env}/web`), 'spec', 'template', 'metadata', 'labels');
    if (isObject(labels)) Object.assign(labels, { app: 'web' });
  }
  const manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app-config"}, "data": {"a": "b"}}';
  const applied = await desk.ask('apply', { env: 'staging', manifest }, ben);
  await toItsEnd(engine, desk, applied, pass);
  const was = new Set(podsOf(world));
  const input = typeof given === 'string' ? readInput(operation, given) : given;
  const asked = operation.fields.get('run')?.required ? { ...input, run: applied } : input;
  engine.catalogue = operations;
  const end = await desk.ask(operation.name, asked).then(
    (id) => toItsEnd(engine, desk, id, pass),
    (thrown: { code?: string }) => thrown.code ?? 'thrown',
  );
  await desk.leases.stop();
  return { end, pods: podsOf(world).filter((pod) => !was.has(pod)) };
}

const changing = [...catalogue.values()].filter(({ effect, aside }) => effect === 'change' && !aside);
const seen = new Set<string>();

describe.each(changing.map((operation) => [operation.name, operation] as const))('%s', (name, operation) => {
  test.each(operation.examples.map((example) => [example]))('%s', { timeout: 60_000 }, async (example) => {
    const { pods } = await tried(operation, example, new Map(catalogue));
    if (pods.length === 0) return;
    seen.add(name);
    expect(await tried(operation, example, worse)).toEqual({ end: 'POD_SECURITY', pods: [] });
  });
});

const job = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'once' },
  spec: { template: { spec: { containers: [{ name: 'main', image: '127.0.0.1:5000/web:v1' }] } } },
};

// What the examples speak of writes no pods in this world: a release leaves that to its parts.
test.each([
  ['apply', { env: 'staging', manifest: JSON.stringify(job) }],
  ['release', { apps: ['web@v2'], env: 'staging' }],
  ['rollback', { app: 'web', env: 'staging', revision: 1 }],
])('%s %j is refused too', { timeout: 60_000 }, async (name, input) => {
  const operation = catalogue.get(name);
  expect(operation && (await tried(operation, input, worse))).toEqual({ end: 'POD_SECURITY', pods: [] });
});

test.each(['canary', 'blue-green'])('what a %s alone would run beside it is refused', async (strategy) => {
  const operation = catalogue.get('deploy');
  const input = { app: 'web', env: 'staging', tag: 'v2', strategy };
  expect(operation && (await tried(operation, input, worseBeside))).toEqual({ end: 'POD_SECURITY', pods: [] });
});

test('the examples write pods by what can, so this says something', () => {
  expect([...seen].sort()).toEqual(expect.arrayContaining(['debug', 'deploy', 'job-run', 'rollback']));
});
