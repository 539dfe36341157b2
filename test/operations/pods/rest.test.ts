import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { createHttpServer } from '../../../handlers/http/server.ts';
import { advance } from '../../../src/engine/advance.ts';
import { createNoticeStore } from '../../../src/store/notices.ts';
import { api, tokenOf } from '../../handlers/http/rest-bed.ts';
import { quiet } from '../../support/engine.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { deployment, make, pod, podNames, ready, says } from './things.ts';

let desk: RealDesk;
let app: Awaited<ReturnType<typeof createHttpServer>>;
const bb = '/bin/busybox';

beforeAll(async () => {
  desk = await realDesk({ staging: { exec: { allow: [`${bb} echo *`], seconds: 5, kilobytes: 4 } } });
  const script = `for i in 1 2 3 4 5; do echo "line $i"; done; ${bb} sleep 3600`;
  await make(desk.namespaces.staging, deployment('web', [says('web', script)]), pod('bare', [says('main', script)]));
  await ready(desk.namespaces.staging, '-l', 'app=web');
  await ready(desk.namespaces.staging, 'bare');
  // A worker is never far.
  const engine = { ...desk.engine, wake: async (id: string) => void advance(desk.engine, desk.leases, id) };
  const secret = 'a secret that is long enough for HS256';
  const notices = createNoticeStore(desk.engine.redis);
  app = await createHttpServer({
    log: quiet,
    metrics: createMetrics(),
    checks: {},
    api: { engine, notices, tokens: { secret } },
  });
});
afterAll(async () => {
  await app.close();
  await desk.end();
});

async function send(method: 'GET' | 'POST', path: string, body?: object) {
  const headers = { authorization: `Bearer ${await tokenOf('ana@example.com')}` };
  const answer = await app.inject({ method, url: `${api}${path}`, headers, ...(body && { payload: body }) });
  return { status: answer.statusCode, body: answer.json() };
}

test('pods of a namespace, one pod, its log, the app’s log', async () => {
  const [web = ''] = await podNames(desk.namespaces.staging, 'web');
  const all = await send('GET', `/pods/${desk.namespaces.staging}`);
  expect(all).toMatchObject({ status: 200, body: { data: { report: { kind: 'table' } } } });
  expect(all.body.data.report.rows.map(([name]: string[]) => name).sort()).toEqual(['bare', web]);
  expect((await send('GET', '/pods/staging?app=web')).body.data.report.rows).toHaveLength(1);
  expect((await send('GET', '/pods/staging/bare')).body.data.report.rows[0]).toEqual(['pod', 'bare']);
  const tail = await send('GET', '/pods/staging/bare/logs?tail=2&grep=line');
  expect(tail.body.data.report.text.split('\n').map((line: string) => line.slice(13))).toEqual(['line 4', 'line 5']);
  expect((await send('GET', `/pods/staging/${web}/logs`)).body.data.report.text).toContain('line 1');
  expect((await send('GET', '/deployments/staging/web/logs?tail=1')).body.data.report.text).toContain('line 5');
  expect((await send('GET', '/pods/staging/bare/logs?tail=many')).status).toBe(400);
  expect((await send('GET', '/pods/staging/bare/logs?nonsense=1')).status).toBe(400);
  expect((await send('GET', '/pods/staging/events?app=pod%2Fbare')).body.data.report.rows.length).toBeGreaterThan(0);
});

test('a command is a run as any change', async () => {
  const asked = await send('POST', '/pods/staging/bare/exec', { command: [bb, 'echo', 'hello'] });
  expect(asked.status).toBe(202);
  const { run } = asked.body.data;
  await expect
    .poll(async () => (await send('GET', `/runs/${run}`)).body.data.state, { timeout: 10_000 })
    .toBe('finished');
  expect((await send('GET', `/runs/${run}`)).body.data.report).toMatchObject({
    exitCode: 0,
    text: 'hello\n',
    pod: 'bare',
  });
  const refused = await send('POST', '/pods/staging/bare/exec', { command: [bb, 'echo', 'a', 'b'] });
  await expect
    .poll(async () => (await send('GET', `/runs/${refused.body.data.run}`)).body.data.fault?.code, { timeout: 10_000 })
    .toBe('NOT_ALLOW_LISTED');
});
