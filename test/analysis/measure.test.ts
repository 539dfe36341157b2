import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPrometheus } from '../../src/clients/prometheus/prometheus.ts';
import { createHooks } from '../../src/clients/web-hook/web-hook.ts';
import { judge } from '../../src/core/analysis/judge.ts';
import type { Subject } from '../../src/core/analysis/queries.ts';
import { sentenceOf } from '../../src/core/analysis/sentence.ts';
import { AnalysisTemplate } from '../../src/core/analysis/template.ts';
import { type MeasureOptions, measure } from '../../src/operations/delivery/analysis.ts';

/** A server that stands in for a Prometheus with every fault that one may have. */

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
let answer: Answer;
let asked: string[] = [];
const server = createServer(async (request, response) => {
  const body = await text(request);
  asked.push(new URLSearchParams(body).get('query') ?? body);
  answer(request, response, body);
});
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : expect.unreachable();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

const now = 1_800_000_000_000;
const subject: Subject = {
  app: 'web',
  namespace: 'shop',
  stable: 'web',
  canary: 'web-canary',
  service: 'web',
  ports: [80],
};
const rates = AnalysisTemplate.parse({ metrics: [{ kind: 'success-rate' }], queryTimeout: '300ms' });
const spans = [
  { since: now - 600_000, until: now - 300_000 },
  { since: now - 300_000, until: now },
];

const look = (template = rates, more: MeasureOptions = {}, endpoint: string | undefined = url) => {
  const on = { metrics: createPrometheus(endpoint), hooks: createHooks() };
  return measure(on, template, subject, spans, now, AbortSignal.timeout(10_000), more);
};

type Series = [labels: Record<string, string>, value: string];
const vector =
  (series: Series[], at = now / 1_000): Answer =>
  (_request, response) =>
    response.end(
      JSON.stringify({
        status: 'success',
        data: { resultType: 'vector', result: series.map(([metric, value]) => ({ metric, value: [at, value] })) },
      }),
    );

const clock: Series[] = [
  [{ shipmate_part: 'now' }, `${now / 1_000}`],
  [{ shipmate_part: 'newest' }, `${now / 1_000 - 10}`],
];
const counted = (n: number, workload: string, code: string, value: string): Series => [
  {
    shipmate_part: `phase ${n}`,
    destination_workload: workload,
    destination_service_name: workload,
    response_code: code,
  },
  value,
];
const fine: Series[] = [
  ...clock,
  counted(0, 'web', '200', '9000'),
  counted(0, 'web-canary', '200', '990'),
  counted(0, 'web-canary', '503', '10'),
  counted(1, 'web', '200', '4000'),
  counted(1, 'web', '500', '2'),
  counted(1, 'web-canary', '200', '4100'),
];

test('counts come by phase and arm, in one query', async () => {
  answer = vector(fine);
  const { phases, unknown } = await look();
  expect(unknown).toEqual([]);
  expect(phases).toEqual([
    { ...spans[0], canary: { requests: 1_000, failures: 10 }, stable: { requests: 9_000, failures: 0 } },
    { ...spans[1], canary: { requests: 4_100, failures: 0 }, stable: { requests: 4_002, failures: 2 } },
  ]);
  expect(asked).toHaveLength(1);
});

test('requests that reached no pod are the Service’s; those of others are nobody’s', async () => {
  const lost = (service: string, workload = 'unknown'): Series => [
    {
      shipmate_part: 'phase 0',
      destination_workload: workload,
      destination_service_name: service,
      response_code: '503',
    },
    '7',
  ];
  answer = vector([...clock, lost('web-canary'), lost('web'), lost('web', 'other')]);
  const { phases } = await look();
  expect(phases[0]).toMatchObject({ canary: { failures: 7 }, stable: { failures: 7 } });
});

test('Envoy’s own counters are told apart by the names of its clusters', async () => {
  const of = (cluster: string, code: string, value: string): Series => [
    { shipmate_part: 'phase 1', envoy_cluster_name: cluster, envoy_response_code: code },
    value,
  ];
  answer = vector([
    ...clock,
    of('outbound|80||web.shop.svc.cluster.local', '200', '90'),
    of('outbound|80||web-canary.shop.svc.cluster.local;', '503', '4'),
    of('outbound|80||web-canary-2.shop.svc.cluster.local', '503', '100'),
    of('outbound|8080||web.shop.svc.cluster.local', '503', '100'),
  ]);
  const { phases } = await look(AnalysisTemplate.parse({ source: 'envoy', metrics: [{ kind: 'success-rate' }] }));
  expect(phases[1]).toMatchObject({
    canary: { requests: 4, failures: 4 },
    stable: { requests: 90, failures: 0 },
  });
});

test('a failed call of gRPC is a failure though HTTP says 200', async () => {
  const grpc = (status: string): Series => [
    { ...counted(0, 'web-canary', '200', '')[0], grpc_response_status: status },
    '5',
  ];
  answer = vector([...clock, grpc('0'), grpc('5'), grpc('14')]);
  expect((await look()).phases[0]?.canary).toEqual({ requests: 15, failures: 5 });
});

test('durations of both arms come as histograms', async () => {
  const bucket = (workload: string, le: string, value: string): Series => [
    { shipmate_part: 'phase 0', destination_workload: workload, le },
    value,
  ];
  answer = vector([
    ...clock,
    bucket('web-canary', '+Inf', '9'),
    bucket('web-canary', '25', '7'),
    bucket('web', '25', '3'),
  ]);
  const { phases } = await look(AnalysisTemplate.parse({ metrics: [{ kind: 'latency' }] }));
  expect(phases[0]?.canary.latency).toEqual([
    { le: Number.POSITIVE_INFINITY, count: 9 },
    { le: 25, count: 7 },
  ]);
  expect(phases[0]?.stable.latency).toEqual([{ le: 25, count: 3 }]);
});

const faults: { what: string; why: string; answer: Answer }[] = [
  { what: 'slow', why: 'Prometheus has not answered', answer: () => {} },
  {
    what: 'slow in the middle of its answer',
    why: 'Prometheus has not answered',
    answer: (_, response) => response.write('{"status":'),
  },
  { what: 'gone in mid-answer', why: 'Prometheus has not answered', answer: (request) => request.socket.destroy() },
  {
    what: 'broken',
    why: 'Prometheus has not answered',
    answer: (_, response) => response.writeHead(502).end('<html>Bad Gateway</html>'),
  },
  {
    what: 'something else',
    why: 'Prometheus has not answered',
    answer: (_, response) => response.end('{"status":"success","data":{"resultType":"vector","result":"many"}}'),
  },
  {
    what: 'garbled',
    why: 'Prometheus has not answered',
    answer: (_, response) => response.end('{"status":"succ\u0000'),
  },
  {
    what: 'overloaded',
    why: 'Prometheus has not answered',
    answer: (_, response) =>
      response.writeHead(503).end('{"status":"error","errorType":"timeout","error":"query timed out"}'),
  },
  {
    what: 'endless',
    why: 'Prometheus has not answered',
    answer: (_, response) => response.end(`{"status":"success","data":"${'x'.repeat(5_000_000)}"}`),
  },
  {
    what: 'of very many series',
    why: 'Prometheus has not answered',
    answer: vector(Array.from({ length: 20_001 }, (_, n) => [{ n: `${n}` }, '1'])),
  },
  { what: 'empty', why: 'Prometheus has answered with nothing', answer: vector([]) },
  {
    what: 'without such counters',
    why: 'Prometheus has known nothing of web and web-canary',
    answer: vector([[{ shipmate_part: 'now' }, '1']]),
  },
  {
    what: 'NaN',
    why: 'Prometheus has answered with NaN, which is no number',
    answer: vector([...fine, counted(1, 'web-canary', '200', 'NaN')]),
  },
  {
    what: 'infinite',
    why: 'Prometheus has answered with Infinity, which is no number',
    answer: vector([...fine, counted(1, 'web-canary', '200', '+Inf')]),
  },
  {
    what: 'without a number',
    why: 'Prometheus has answered with NaN, which is no number',
    answer: vector([...fine, counted(1, 'web', '200', '')]),
  },
  {
    what: 'ten minutes behind',
    why: 'Prometheus’ clock has been 600 s from ours',
    answer: vector(fine, now / 1_000 - 600),
  },
  {
    what: 'ten minutes ahead',
    why: 'Prometheus’ clock has been 600 s from ours',
    answer: vector(fine, now / 1_000 + 600),
  },
  {
    what: 'stale',
    why: 'Prometheus has had no new sample',
    answer: vector([...fine.slice(2), [{ shipmate_part: 'newest' }, `${now / 1_000 - 90}`]]),
  },
];

test.each(faults)('a Prometheus that is $what: “$why”, and never a pass', async ({ why, answer: given }) => {
  answer = given;
  const began = performance.now();
  const evidence = await look();
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(evidence.unknown).toEqual([{ metric: 'success rate', why, since: now }]);
  expect(judge(rates, evidence, now).kind).toBe('unsure');
});

test('a Prometheus that is not there, and none at all', async () => {
  const [unknown] = (await look(rates, {}, 'http://127.0.0.1:1')).unknown;
  expect(unknown?.why).toBe('Prometheus has not answered');
  const [unset] = (
    await measure(
      { metrics: createPrometheus(undefined), hooks: createHooks() },
      rates,
      subject,
      spans,
      now,
      AbortSignal.timeout(1_000),
    )
  ).unknown;
  expect(unset?.why).toBe('METRICS_ENDPOINT has not been set');
});

test('what is still unknown has been so since it began, and one line says how long', async () => {
  answer = (request) => request.socket.destroy();
  const before = [{ metric: 'success rate', why: 'Prometheus has had no new sample', since: now - 180_000 }];
  const evidence = await look(rates, { before });
  expect(evidence.unknown).toMatchObject([{ since: now - 180_000 }]);
  expect(sentenceOf(judge(rates, evidence, now))).toBe('Prometheus has not answered for 3 min');
  answer = vector(fine);
  expect((await look(rates, { before })).unknown).toEqual([]);
});

test('the queries of one look go side by side', async () => {
  const template = AnalysisTemplate.parse({
    queryTimeout: '3s',
    metrics: [
      { kind: 'success-rate' },
      { kind: 'latency' },
      { kind: 'latency', quantile: 0.5 },
      { kind: 'saturation', of: 'cpu' },
    ],
  });
  answer = (...given) => setTimeout(() => vector(fine)(...given), 300);
  const began = performance.now();
  const { unknown } = await look(template);
  expect(performance.now() - began).toBeLessThan(900);
  expect(asked).toHaveLength(3);
  expect(unknown.map(({ metric }) => metric)).toEqual(['CPU']);
});

test('one’s own query is asked as it stands, with names that cannot break out of their string', async () => {
  const metric = { kind: 'promql' as const, name: 'queue', max: 5 };
  const own = AnalysisTemplate.parse({
    window: '30s',
    metrics: [{ ...metric, query: 'max(depth{app="{{canary}}", of="{{ app }}"}[{{window}}]) > {{unknown}}' }],
  });
  const on = { metrics: createPrometheus(url), hooks: createHooks() };
  answer = vector([[{}, '3']]);
  const evil = { ...subject, app: 'a"} or vector(0) #\\' };
  const evidence = await measure(on, own, evil, spans, now, AbortSignal.timeout(5_000));
  expect(asked).toEqual(['max(depth{app="web-canary", of="a\\"} or vector(0) #\\\\"}[30000ms]) > {{unknown}}']);
  expect(evidence.values).toEqual([{ metric: 'queue', canary: 3, at: now }]);
  answer = vector([
    [{ pod: 'a' }, '3'],
    [{ pod: 'b' }, '3'],
  ]);
  const [several] = (await measure(on, own, subject, spans, now, AbortSignal.timeout(5_000))).unknown;
  expect(several?.why).toBe('Prometheus has answered with 2 series instead of one');
  answer = (_, response) =>
    response.writeHead(400).end('{"status":"error","errorType":"bad_data","error":"1:3: parse error"}');
  const [wrong] = (await measure(on, own, subject, spans, now, AbortSignal.timeout(5_000))).unknown;
  expect(wrong?.why).toContain('1:3: parse error');
});

const hook = (address = url) =>
  AnalysisTemplate.parse({ queryTimeout: '300ms', metrics: [{ kind: 'web-hook', name: 'smoke', url: address }] });

test('a web hook is asked with what it is about, and its word is taken', async () => {
  answer = (_, response) => response.end('{"verdict":"fail","reason":"the cart is empty","more":1}');
  const evidence = await look(hook(), { hookHosts: [url] });
  expect(JSON.parse(asked[0] ?? '')).toEqual({
    metric: 'smoke',
    app: 'web',
    namespace: 'shop',
    stable: 'web',
    canary: 'web-canary',
    phases: spans,
  });
  expect(sentenceOf(judge(hook(), evidence, now))).toBe('smoke says no: the cart is empty');
});

test.each<{ what: string; given: Answer }>([
  { what: 'slow', given: () => {} },
  { what: 'elsewhere now', given: (_, response) => response.writeHead(302, { location: '/pass' }).end() },
  { what: 'endless', given: (_, response) => response.end(`{"verdict":"pass","reason":"${'x'.repeat(70_000)}"}`) },
  { what: 'garbled', given: (_, response) => response.end('{"verdict":') },
  { what: 'of another mind', given: (_, response) => response.end('{"verdict":"maybe"}') },
  { what: 'broken', given: (_, response) => response.writeHead(500).end('{"verdict":"pass"}') },
])('a web hook that is $what is no pass', async ({ given }) => {
  answer = given;
  const evidence = await look(hook(), { hookHosts: [url] });
  expect(evidence.unknown).toHaveLength(1);
  expect(judge(hook(), evidence, now).kind).toBe('unsure');
});

test('a web hook over plain http is asked only where its host was named', async () => {
  const evidence = await look(hook());
  expect(asked).toEqual([]);
  expect(evidence.unknown[0]?.why).toContain('plain http is not allowed');
});

test('whoever stops the look is not told that nothing is known', async () => {
  answer = () => {};
  const on = { metrics: createPrometheus(url), hooks: createHooks() };
  const stopped = measure(on, rates, subject, spans, now, AbortSignal.timeout(50));
  await expect(stopped).rejects.toThrow();
});
