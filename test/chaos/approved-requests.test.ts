import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readInput } from '../../handlers/slack/grammar.ts';
import { AppBuild, BuildSettings } from '../../src/core/image-settings.ts';
import { JsonObject } from '../../src/core/json.ts';
import type { Operation, PlanContext, RunContext, StepContext } from '../../src/core/operation.ts';
import { bind, Plan } from '../../src/core/plan.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { type FakeClients, fakeWorld } from '../fakes/fake-clients.ts';
import { bent, leavesOf, replaced } from '../support/bent.ts';
import { stock } from '../support/desk.ts';
import { ana, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/**
 * What is sent outside of clusters (to Docker hosts, Harbor, registries and the daemon of builds) comes of the approved plan
 * alone. Each operation is planned, and then carried out again and again, each time with one thing that it reads meanwhile
 * another than it was: it may send what it would have sent, or nothing, and never anything else. An operation added later is
 * covered without a new line here.
 */

// Whatever waits has sent all that it has to send.
vi.mock('node:timers/promises', () => ({
  setTimeout: async () => {
    throw new Error('waits');
  },
}));

const redis = redisForFile();
let engine: TestEngine;
beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients);
  return () => engine.close();
});

const build = AppBuild.parse({ context: '/nowhere', secrets: { npm: { env: 'NPM_TOKEN' } } });
const builds = BuildSettings.parse({ folders: ['/src'], repositories: ['registry.example.com/'] });
const settings = { ...testSettings, builds, apps: { web: { image: '127.0.0.1:5000/web', build } } };

const outside = ['dockerHost', 'harbor', 'docker', 'registry', 'attachments', 'signing'] as const;
/** What is not sent as it was planned, and why. */
const exempt: Record<string, string> = {
  scan: 'what it sends is what it finds; the image is in the plan by its digest',
  deploy: 'beside what it changes in the cluster it sends the signed decision itself',
  release: 'its parts are deploys, each of a plan of its own',
};
/** What takes back what the run itself has just made, since it came out as something else. */
const takesBack: Record<string, RegExp> = {
  'docker-run': /"DELETE","path":\["containers","id-\w+"\]/,
};
/**
 * What relies on no identity that could be another's by then: what it makes is not there yet, or Harbor numbers it and tells it
 * apart by its name and what it is. That it is as it was planned, the bent leaves show.
 */
const withoutIdentity = new Set([
  'docker-network-create',
  'docker-volume-create',
  'harbor-endpoint-create',
  'harbor-endpoint-remove',
  'harbor-endpoint-set',
  'harbor-project-create',
  'harbor-quota-set',
  'harbor-replicate',
  'harbor-replication-create',
  'harbor-replication-remove',
  'harbor-replication-set',
  'harbor-retention-run',
  'harbor-retention-set',
  'harbor-robot-create',
  'harbor-robot-remove',
]);
const operations = [...catalogue.values()].filter(
  ({ name, effect, needs }) =>
    effect === 'change' && needs.some((need) => outside.some((each) => each === need)) && !exempt[name],
);

/** What changes something there; all else is reading. */
const sends = new Set(['send', 'pull', 'exec', 'build', 'pushBuilt', 'push', 'copy', 'remove', 'putManifest', 'add']);

type Seen = { sent: string[]; read: unknown[] };
type Bend = (answer: unknown) => unknown;

/** The client, with what is sent by it noted, and what it reads bent. */
function watched<Client extends object>(client: Client, seen: Seen, bend: Bend): Client {
  return new Proxy(client, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        const answer: unknown = await Reflect.apply(method, target, args);
        if (sends.has(String(name))) {
          // A signature is another each time.
          const told = JSON.stringify([name, args]).replace(/"(sig|signature)":"[^"]*"/g, '"$1":"…"');
          seen.sent.push(told);
          return answer;
        }
        const now = bend(answer);
        seen.read.push(now);
        return now;
      };
    },
  });
}

function watchedAll(clients: FakeClients, seen: Seen, bend: Bend): FakeClients {
  const { registry, attachments, docker, harbor, dockerHost } = clients;
  return {
    ...clients,
    registry: watched(registry, seen, bend),
    attachments: watched(attachments, seen, bend),
    docker: watched(docker, seen, bend),
    harbor: watched(harbor, seen, bend),
    dockerHost: (name) => watched(dockerHost(name), seen, bend),
  };
}

const signal = new AbortController().signal;
const nowhere = () => {
  throw new Error('no place here');
};
const step: StepContext = {
  signal,
  startedAt: 1_800_000_000_000,
  note: () => {},
  log: () => {},
  record: () => {},
  memo: () => undefined,
  remember: async () => {},
  steers: async () => [],
  steeredPast: () => signal,
  rest: async () => {},
  parts: { ask: nowhere, stop: nowhere },
};

function contextOf(clients: FakeClients): PlanContext<keyof TestEngine['clients']> {
  return {
    id: 'k7m2p9qa',
    on: { ...engine.clients, ...clients },
    settings,
    catalogue,
    actor: ana,
    origin: { surface: 'rest' },
    now: () => 1_800_000_000_000,
    get place() {
      return nowhere();
    },
    get site() {
      return nowhere();
    },
    signal,
    foresee: nowhere,
    step: (_name, act) => act(step),
  };
}

const inputOf = (operation: Operation, example: string): JsonObject =>
  JsonObject.parse(operation.input.parse(readInput(operation, example)));

/** Plans in a fresh world, and carries it out there while `bend` is so. */
async function carriedOut(
  operation: Operation,
  example: string,
  bend: Bend,
): Promise<Seen & { plan: Plan; planned: unknown[] }> {
  const world = fakeWorld({ signs: true });
  stock(world);
  const input = inputOf(operation, example);
  const before: Seen = { sent: [], read: [] };
  const draft = await operation.plan(contextOf(watchedAll(world.clients, before, (answer) => answer)), input);
  expect(before.sent, 'planning changes nothing').toEqual([]);
  const plan = bind(draft, { operation: operation.name, target: {}, policy: {}, input });
  const seen: Seen = { sent: [], read: [] };
  const { on, actor, origin, now, id } = contextOf(watchedAll(world.clients, seen, bend));
  const run: RunContext<keyof TestEngine['clients'], string> = {
    ...{ id, on, settings, catalogue, actor, origin, now, signal, foresee: nowhere },
    get place() {
      return nowhere();
    },
    get site() {
      return nowhere();
    },
    plan: Plan.parse(JSON.parse(JSON.stringify(plan))),
    step: (_name, act) => act(step),
    wait: nowhere,
    waitFor: nowhere,
  };
  await operation.run(run, input).catch(() => {});
  return { ...seen, plan, planned: before.read };
}

/** Examples of what is not in the world of these tests. */
const elsewhere = [/^web .*from /, /^images on/, /^cache on/, /^hub at/, /^dr (url|renew)=/];
const cases = operations.flatMap((operation) =>
  operation.examples
    .filter((example) => !elsewhere.some((each) => each.test(example)))
    .map((example) => [operation.name, example, operation] as const),
);
test('every operation that sends anything is among them', () => {
  expect(new Set(cases.map(([name]) => name))).toEqual(new Set(operations.map(({ name }) => name)));
});

describe.each(cases)('%s %s', (_name, example, operation) => {
  test('sends what its plan says, whatever it reads meanwhile', async () => {
    const undisturbed = await carriedOut(operation, example, (answer) => answer);
    expect(undisturbed.sent).not.toEqual([]);
    const count = undisturbed.read.reduce((sum: number, answer) => sum + leavesOf(answer), 0);
    for (let at = 0; at < count; at++) {
      let passed = 0;
      const { sent } = await carriedOut(operation, example, (answer) => {
        const here = at - passed;
        passed += leavesOf(answer);
        return here >= 0 && at < passed ? bent(answer, here) : answer;
      });
      for (const each of sent.filter((each) => !takesBack[operation.name]?.test(each)))
        expect(undisturbed.sent, `with leaf ${at} of ${count} bent`).toContain(each);
    }
  });

  test('sends nothing once another object has the place of one that its plan names by its identity', async () => {
    const { plan, planned } = await carriedOut(operation, example, (answer) => answer);
    const { summary: _, undo: __, changes: ___, ...relied } = plan;
    const identities = new Set(
      [...JSON.stringify(planned).matchAll(/"(sha256:[^"]+|id-[^"]+|2026-11-01T10[^"]*)"/g)]
        .map(([, identity = '']) => identity)
        .filter((identity) => JSON.stringify(relied).includes(identity)),
    );
    expect(identities.size === 0, [...identities].join(', ')).toBe(withoutIdentity.has(operation.name));
    for (const identity of identities) {
      let looked = false;
      const { sent } = await carriedOut(operation, example, (answer) => {
        const now = replaced(answer, identity);
        looked ||= JSON.stringify(now) !== JSON.stringify(answer);
        return now;
      });
      const named = sent.filter((each) => each.includes(identity) || takesBack[operation.name]?.test(each));
      // Where it never looks, what it sends must say which it means.
      if (looked) expect(sent, `with another than ${identity}`).toEqual(named);
      else expect(named, `with another than ${identity}`).not.toEqual([]);
    }
  });

  test('has all that it sends in the digest of its plan', async () => {
    const { plan } = await carriedOut(operation, example, (answer) => answer);
    const { digest, docker, harbor, build: wish, images, command, image } = plan;
    const sendable = { docker, harbor, build: wish, images, command, image };
    const input = inputOf(operation, example);
    const count = leavesOf(sendable);
    expect(count).toBeGreaterThan(0);
    for (let at = 0; at < count; at++) {
      const other = { ...plan, ...Object(bent(sendable, at)) };
      expect(bind(other, { operation: operation.name, target: {}, policy: {}, input }).digest).not.toBe(digest);
    }
  });
});
