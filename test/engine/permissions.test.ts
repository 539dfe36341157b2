import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInput } from '../../handlers/slack/grammar.ts';
import { AppBuild, BuildSettings } from '../../src/core/image-settings.ts';
import type { Operation } from '../../src/core/operation.ts';
import { needsOf } from '../../src/core/permission.ts';
import { Rule } from '../../src/core/settings.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { createSeal } from '../../src/store/seal.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, stock } from '../support/desk.ts';
import { ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { recordingKube } from '../support/recording-kube.ts';
import { redisForFile } from '../support/redis.ts';
import { toItsEnd } from '../support/to-its-end.ts';

/**
 * Every operation, each of its examples, against what it says that it needs of a cluster: what it does without saying so
 * fails here, and not first where somebody takes a line away from the role.
 */

const redis = redisForFile();
let engine: TestEngine;
let aheadMs = 0;
const unused = new Map<string, string[]>();

beforeAll(async () => {
  const build = AppBuild.parse({ context: '/nowhere' });
  const builds = BuildSettings.parse({ folders: ['/src'], repositories: ['registry.example.com/'] });
  const policy = [{ name: 'anything goes' }, { name: 'what is no app, too', uncovered: true }].map((each) =>
    Rule.parse(each),
  );
  const settings = { ...testSettings, policy, builds, apps: { web: { image: '127.0.0.1:5000/web', build } } };
  const seal = createSeal([Buffer.alloc(32, 7)]);
  const now = () => Date.now() + aheadMs;
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings, seal, now });
});
afterAll(() => {
  engine.close();
  // For whoever looks: not all that an operation may need is needed for its examples.
  const lines = [...unused].map(([name, needs]) => `${name}: ${needs.join(', ')}`);
  console.info(`Declared, and not needed by any example:\n${lines.join('\n')}`);
});

const pass = (ms: number) => {
  aheadMs += ms;
};

async function tried(operation: Operation, example: string, used: (need: string) => void): Promise<void> {
  await engine.redis.flushall();
  const world = fakeWorld();
  stock(world);
  furnish(world);
  Object.assign(engine.clients, world.clients);
  const desk = createDesk(engine);
  for (const env of ['staging', 'production'])
    for (const tag of ['v1', 'v3']) await toItsEnd(engine, desk, await desk.deploy(env, tag, ben), pass);
  const manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeting"}}';
  const applied = await desk.ask('apply', { env: 'staging', manifest });
  await toItsEnd(engine, desk, applied, pass);
  Object.assign(engine.clients, { kube: () => recordingKube(world.kube, used) });
  const input = readInput(operation, example);
  const id = await desk.ask(operation.name, operation.fields.get('run')?.required ? { ...input, run: applied } : input);
  await toItsEnd(engine, desk, id, pass);
  await desk.leases.stop();
}

/** Of itself anybody may ask, and of a canary Shipmate asks the run. */
const mustAsk = ({ name, needs }: Operation) =>
  needs.includes('kube') && !name.startsWith('canary-') && !['doctor', 'access-can', 'clusters'].includes(name);

const plain = ({ verb, group, resource }: { verb: string; group: string; resource: string }) =>
  `${verb} ${resource}${group && `.${group}`}`;

test.each([...catalogue.values()].map((operation) => [operation.name, operation] as const))(
  '%s asks the cluster for nothing that it does not declare',
  { timeout: 60_000 },
  async (name, operation) => {
    const used = new Set<string>();
    // A live tail lasts as long as it was asked to.
    const examples = operation.examples.filter((example) => !example.includes('follow'));
    for (const example of examples) await tried(operation, example, (need) => used.add(need)).catch(() => {});
    const declared = (operation.permissions ?? []).flatMap(needsOf);
    const known = new Set(
      declared.flatMap((need) => [plain(need), ...(need.everywhere ? [`${plain(need)} everywhere`] : [])]),
    );
    if (mustAsk(operation)) expect([...used]).not.toEqual([]);
    expect([...used].filter((need) => !known.has(need)).sort()).toEqual([]);
    const idle = declared.map(plain).filter((need) => !used.has(need) && !used.has(`${need} everywhere`));
    if (idle.length > 0) unused.set(name, [...new Set(idle)]);
  },
);
