import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Clusters, createClusters } from '../../src/clients/kube/clusters.ts';
import { at, JsonObject } from '../../src/core/json.ts';
import { recordedRun } from '../../src/core/lost-run.ts';
import type { Message } from '../../testbed/slack/workspace.ts';
import { type ApiProxy, type Drop, startApiProxy } from '../support/api-proxy.ts';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import { ana, ship, startVoyage, type Voyage } from '../support/voyage.ts';

/**
 * The change is made, and its answer never comes. Shipmate looks what became of it: the run ends well, and what it asked for
 * is changed once (I2).
 */

let voyage: Voyage;
let proxy: ApiProxy;
let redis: Redis;
beforeAll(async () => {
  [voyage, proxy] = await Promise.all([startVoyage(), startApiProxy()]);
  redis = new Redis(voyage.redis.url);
  await voyage.start('all', { K8S_ENDPOINT: proxy.url });
});
afterAll(async () => {
  redis.disconnect();
  await voyage.end();
  await proxy.stop();
});

const query = async (path: string) =>
  await kubectl(['-n', voyage.namespaces.staging, 'get', 'deployment', 'web', '-o', `jsonpath=${path}`]);
const generation = async () => Number(await query('{.metadata.generation}').catch(() => '0'));
/** The run that the live object must be known by: see lost-run.ts. */
const changedBy = async () => {
  const { staging } = voyage.namespaces;
  const object = await kubectl(['-n', staging, 'get', 'deployment', 'web', '-o', 'json', '--show-managed-fields']);
  return recordedRun(JsonObject.parse(JSON.parse(object)), Date.now());
};

/** Deploys while answers are dropped; how its run and its message ended, and what reached the API server. */
async function deploy(command: string, drop: Drop) {
  const { slack } = voyage;
  const before = new Set(slack.messages(ship).map(({ ts }) => ts));
  const first = proxy.applies.length;
  proxy.drop(drop);
  await slack.command(ana, ship, command);
  const ended = ({ text, thread, ts }: Message) => !thread && !before.has(ts) && /: (done|failed|timed)/.test(text);
  const message = await slack.waitFor('it is over', ended, 60_000);
  const id = /run `(\w+)`/.exec(JSON.stringify(message.blocks))?.[1] ?? '';
  const record = await redis.hget(`{shipmate}:v1:run:${id}`, 'record');
  const { state, steps } = JSON.parse(record ?? '{}');
  const applied = slack.thread(message).filter(({ blocks }) => JSON.stringify(blocks).includes('applied to'));
  return {
    id,
    text: message.text,
    state,
    steps: { apply: steps.apply?.state, settle: steps.settle?.state },
    said: applied.length,
    applies: proxy.applies.slice(first),
  };
}

const wentWell = {
  text: expect.stringContaining('Deploy web to staging: done'),
  state: 'finished',
  steps: { apply: 'done', settle: 'done' },
  said: 1,
};

describe('the answer to an apply that never comes', () => {
  test.each<[string, string, Drop, number]>([
    ['of a new Deployment', 'v1', { passes: 'nothing', times: 1 }, 1],
    ['of a changed one', 'v2', { passes: 'nothing', times: 1 }, 1],
    ['that breaks off in the middle', 'v1', { passes: 'half', times: 1 }, 1],
    // The apply's, those to all four tries to read back, and the one of the step's second try.
    ['nor do the next', 'v2', { passes: 'nothing', times: 6 }, 2],
  ])('%s: one change, and the run ends well', { timeout: 90_000 }, async (_, tag, drop, sent) => {
    const before = await generation();
    const end = await deploy(`/deploy web:${tag} staging replicas=1`, drop);
    expect(end).toMatchObject(wentWell);
    expect(end.applies.map((apply) => apply.generation)).toEqual(Array.from({ length: sent }, () => before + 1));
    expect(await generation()).toBe(before + 1);
    expect(await changedBy()).toBe(end.id);
    expect(await query('{.spec.template.spec.containers[0].image}')).toContain(`web:${tag}@`);
  });

  // The second time the plan itself takes over what kubectl owns now.
  test.each([2, 3])(
    'what somebody else changed meanwhile stays as they made it: %d replicas',
    {
      timeout: 90_000,
    },
    async (replicas) => {
      const before = await generation();
      const { staging } = voyage.namespaces;
      const meanwhile = () => kubectl(['-n', staging, 'scale', 'deployment', 'web', `--replicas=${replicas}`]);
      const end = await deploy(`/deploy web:v${replicas - 1} staging replicas=1`, {
        passes: 'nothing',
        times: 1,
        meanwhile,
      });
      expect(end).toMatchObject(wentWell);
      expect(end.applies.filter(({ status }) => status === 200)).toEqual([{ status: 200, generation: before + 1 }]);
      expect(await generation()).toBe(before + 2);
      expect(await query('{.spec.replicas}')).toBe(String(replicas));
    },
  );
});

describe('an apply', () => {
  const { signal } = new AbortController();
  let clusters: Clusters;
  beforeAll(() => {
    clusters = createClusters({ kubeconfig: bed.kubeconfig, endpoint: proxy.url });
  });
  afterAll(async () => clusters.close());

  /** Applies a Deployment without pods, as a run does. */
  const apply = async (name: string, labels: JsonObject, force = false) => {
    const metadata = { name, namespace: voyage.namespaces.production, labels };
    const selector = { matchLabels: { app: name } };
    const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: 'none' }] } };
    const spec = { replicas: 0, selector, template };
    const manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec };
    return at(
      await clusters.kube('default').apply(manifest, { run: 'r', force }, signal),
      'metadata',
      'labels',
      'mark',
    );
  };
  const byHand = (name: string, manager: string, what: string) =>
    kubectl([
      '-n',
      voyage.namespaces.production,
      'label',
      'deployment',
      name,
      what,
      '--overwrite',
      `--field-manager=${manager}`,
    ]);

  test('of a run that applied before is not taken for the one before', async () => {
    expect(await apply('twice', { mark: 'one' })).toBe('one');
    await byHand('twice', 'somebody', 'mark=theirs');
    await expect(apply('twice', { mark: 'two' })).rejects.toMatchObject({
      code: 'CLUSTER_REFUSED',
      message: expect.stringContaining('conflict with "somebody"'),
    });
    expect(await apply('twice', { mark: 'two' }, true)).toBe('two');
    await byHand('twice', 'somebody', 'mark=theirs');
    // The same once more, as by a worker that takes the run up: it was done.
    expect(await apply('twice', { mark: 'two' }, true)).toBe('theirs');
  });

  test('of what Shipmate changed in another way', async () => {
    expect(await apply('other', { mark: 'one' })).toBe('one');
    await byHand('other', 'shipmate', 'mark=ours');
    expect(await apply('other', { mark: 'two' })).toBe('two');
  });
});
