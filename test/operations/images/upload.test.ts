import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { createHttpServer } from '../../../handlers/http/server.ts';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { contextTag, contextTags } from '../../../src/core/build.ts';
import { Settings } from '../../../src/core/settings.ts';
import { createNoticeStore } from '../../../src/store/notices.ts';
import { tokenOf } from '../../handlers/http/rest-bed.ts';
import { bed } from '../../support/bed.ts';
import { createDesk } from '../../support/desk.ts';
import { ben, quiet } from '../../support/engine.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { tarOf } from '../../support/uploads.ts';

/** `curl --data-binary @context.tar.gz …/docker/build?tag=…`, from the request to the image and what is left of it. */

const secret = 'a secret that is long enough for HS256';
const { signal } = new AbortController();
const registry = createRegistry();
const repository = `${bed.registryHost}/sent-${process.pid}`;
let desk: RealDesk;
let app: FastifyInstance;

beforeAll(async () => {
  desk = await realDesk({ builds: { network: 'none', repositories: [repository], contextMegabytes: 5 } });
});
beforeEach(async () => {
  const { engine } = desk;
  const api = { engine, notices: createNoticeStore(engine.redis), tokens: { secret } };
  app = await createHttpServer({ log: quiet, metrics: createMetrics(), checks: {}, api });
});
afterEach(() => app.close());
afterAll(() => desk.end());

async function send(query: Record<string, string>, payload: Buffer) {
  const headers = { authorization: `Bearer ${await tokenOf('ana')}`, 'content-type': 'application/x-tar' };
  const url = `/api/v1/cloud-native/docker/build?${new URLSearchParams(query)}`;
  const answer = await app.inject({ method: 'POST', url, headers, payload });
  return answer.json();
}

const contextOf = (text: string) =>
  tarOf([
    { name: 'Dockerfile', text: `FROM ${bed.busybox}\nARG VERSION\nLABEL version=$VERSION\nCOPY . /app/\n` },
    { name: 'a.txt', text },
  ]);
const kept = async () => (await registry.tags(repository, signal)).filter((tag) => tag.startsWith(contextTags));

test('a tar that was sent is planned by its digest, built, pushed, and gone afterwards', {
  timeout: 60_000,
}, async () => {
  const query = { tag: `${repository}:v1`, buildArgs: '{"VERSION":"1.0.0"}' };
  const { data } = await send(query, await contextOf('one'));
  expect(await kept()).toHaveLength(1);
  const run = await desk.lap(data.run);
  expect(run).toMatchObject({
    state: 'finished',
    plan: { build: { source: { kind: 'upload' } }, summary: expect.stringContaining('from the upload') },
    report: { kind: 'built', image: `${repository}:v1` },
  });
  const { context, source } = run.plan?.build ?? {};
  expect(source).toMatchObject({ digest: context?.id });
  expect(await registry.manifest(`${repository}:v1`, signal)).toBeDefined();
  expect(await kept()).toEqual([]);
});

test('between approval and build the process may go: another one builds what was approved', {
  timeout: 60_000,
}, async () => {
  const settings = desk.engine.settings();
  settings.policy.unshift(
    ...Settings.shape.policy.parse([
      { name: 'two', operations: ['docker-build'], who: ['engineers'], approvals: 1, approvers: ['engineers'] },
    ]),
  );
  settings.people.ana = { ...settings.people.ana, subject: 'ana' };
  try {
    const { data } = await send({ tag: `${repository}:v2` }, await contextOf('two'));
    expect(await desk.lap(data.run)).toMatchObject({ state: 'awaiting' });
    await desk.approve(data.run, ben);
    const other = createDesk(desk.engine, 'worker-2');
    expect(await other.lap(data.run)).toMatchObject({ state: 'finished', report: { kind: 'built' } });
    await other.leases.stop();

    const gone = await send({ tag: `${repository}:v3` }, await contextOf('three'));
    const waiting = await desk.lap(gone.data.run);
    const source = waiting.plan?.build?.source;
    const digest = source?.kind === 'upload' ? source.digest : '';
    const manifest = await registry.manifest(`${repository}:${contextTag(digest)}`, signal);
    await registry.remove(repository, manifest?.digest ?? '', signal);
    await desk.approve(gone.data.run, ben);
    expect(await desk.lap(gone.data.run)).toMatchObject({
      state: 'failed',
      fault: { code: 'CONTEXT_REFUSED', message: expect.stringContaining('not kept') },
    });
  } finally {
    settings.policy.shift();
  }
});

test('one that nobody came to build is deleted with the next that is sent, and one that is too large is not kept', async () => {
  const { builds } = desk.engine.settings();
  await send({ tag: `${repository}:v4` }, await contextOf('four'));
  const before = await kept();
  expect(before).toHaveLength(1);
  builds.uploadHours = 0.000_001;
  await new Promise((resolve) => setTimeout(resolve, 50));
  await send({ tag: `${repository}:v5` }, await contextOf('five'));
  builds.uploadHours = 24;
  expect(await kept()).not.toContain(before[0]);
  const large = await send({ tag: `${repository}:v6` }, Buffer.alloc(6_000_000));
  expect(large).toMatchObject({ error: { code: 'TOO_LARGE' } });
});

test('other folders of one upload are other images', { timeout: 60_000 }, async () => {
  const file = `FROM ${bed.busybox}\nCOPY . /app/\n`;
  const tar = await tarOf([
    { name: 'a/Dockerfile', text: file },
    { name: 'a/x', text: 'a' },
    { name: 'b/Dockerfile', text: file },
    { name: 'b/x', text: 'b' },
  ]);
  const digests: string[] = [];
  for (const folder of ['a', 'b']) {
    const { data } = await send({ tag: `${repository}:kept`, dockerfile: 'a/Dockerfile' }, tar);
    const input = (await desk.run(data.run)).input;
    const context = `${input.context}:${folder}`;
    const run = await desk.done('docker-build', { context, tag: `${repository}:${folder}` });
    digests.push(run.report?.kind === 'built' ? run.report.digest : run.state);
  }
  expect(new Set(digests).size).toBe(2);
});
