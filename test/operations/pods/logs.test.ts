import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { advance } from '../../../src/engine/advance.ts';
import { stop } from '../../../src/engine/stop.ts';
import { ana } from '../../support/engine.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { deployment, make, pod, podNames, ready, says, until } from './things.ts';

let desk: RealDesk;
let ns: string;

const stays = '/bin/busybox sleep 3600';
const tenLines = `for i in 1 2 3 4 5 6 7 8 9 10; do echo "line $i of $HOSTNAME"; /bin/busybox usleep 20000; done; ${stays}`;

beforeAll(async () => {
  desk = await realDesk({
    apps: {
      crash: { image: 'crash' },
      chatty: { image: 'chatty' },
      noisy: { image: 'noisy' },
      flappy: { image: 'flappy' },
    },
  });
  ns = desk.namespaces.staging;
  const hello = `/bin/busybox sleep 1; i=0; while true; do i=$((i+1)); echo "tick $i of $HOSTNAME"; /bin/busybox sleep 1; done`;
  await make(
    ns,
    deployment('web', [says('web', tenLines)], 2),
    deployment('crash', [says('crash', 'echo "dying now"; exit 3')]),
    deployment('chatty', [says('chatty', hello)]),
    deployment('noisy', [
      says('noisy', `i=0; while true; do i=$((i+1)); echo "noise $i"; /bin/busybox usleep 5000; done`),
    ]),
    pod('pair', [says('main', `echo from main; ${stays}`), says('side', `echo from side; ${stays}`)]),
    pod('long', [says('main', `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "long $i"; done; ${stays}`)]),
    pod('wide', [says('main', `x=a; for i in 1 2 3 4 5 6 7 8 9 10; do x=$x$x; done; echo "$x!"; ${stays}`)]),
    pod('secretive', [
      says(
        'main',
        `echo password=hunter22hunter; echo '<!channel> <https://evil.example|click>'; echo -----BEGIN RSA PRIVATE KEY-----; echo MIIEowIBAAKCAQEA; echo c2VjcmV0; echo -----END RSA PRIVATE KEY-----; echo after; ${stays}`,
      ),
    ]),
  );
  await ready(ns, '-l', 'app in (web,chatty,noisy)');
  await ready(ns, 'pair', 'long', 'wide', 'secretive');
});
afterAll(() => desk.end());

async function log(input: Record<string, unknown>): Promise<{ lines: string[]; note: string }> {
  const run = await desk.done('logs', { env: 'staging', ...input });
  if (run.report?.kind !== 'text') throw new Error(`no text: ${JSON.stringify(run.fault ?? run.report)}`);
  return { lines: run.report.text === '' ? [] : run.report.text.split('\n'), note: run.report.note ?? '' };
}
const timeOf = (line: string) => line.slice(0, 12);

test('two replicas are merged in the order of time, under their short names', async () => {
  const { lines } = await until(
    'all is written',
    () => log({ app: 'web' }),
    (found) => found.lines.length === 20,
  );
  expect(lines.map(timeOf)).toEqual(lines.map(timeOf).sort());
  for (const name of await podNames(ns, 'web')) {
    const short = name.split('-').at(-1) ?? '';
    const own = lines.filter((line) => line.slice(13).startsWith(`${short}  `));
    expect(own.map((line) => line.slice(13 + short.length + 2))).toEqual(
      Array.from({ length: 10 }, (_, i) => `line ${i + 1} of ${name}`),
    );
    const alone = await log({ app: 'web', pod: short, tail: 3 });
    expect(alone.lines.map((line) => line.slice(13))).toEqual([8, 9, 10].map((i) => `line ${i} of ${name}`));
  }
  const newest = await log({ app: 'web', tail: 4 });
  expect(newest.lines).toEqual(lines.slice(-4));
});

test('of many containers the first is shown, and the others are named', async () => {
  const first = await log({ app: 'pod/pair' });
  expect(first.lines.map((line) => line.slice(13))).toEqual(['from main']);
  expect(first.note).toContain('there are also side (container=all)');
  expect((await log({ app: 'pod/pair', container: 'side' })).lines[0]).toContain('from side');
  expect((await log({ app: 'pod/pair', container: 'all' })).lines.map((line) => line.slice(13)).sort()).toEqual([
    'main  from main',
    'side  from side',
  ]);
  const wrong = await desk.done('logs', { app: 'pod/pair', env: 'staging', container: 'sid' });
  expect(wrong.fault).toMatchObject({
    code: 'NO_SUCH_OBJECT',
    message: expect.stringContaining('Did you mean “side”?'),
  });
});

test('a long log is had from its end, and searched as a whole', async () => {
  const long = await log({ app: 'pod/long', tail: 50 });
  expect(long.lines).toHaveLength(50);
  expect(long.lines.at(-1)).toMatch(/ long 3000$/);
  expect((await log({ app: 'pod/long', tail: 5000 })).lines).toHaveLength(3000);
  expect((await log({ app: 'pod/long', grep: 'long 77', tail: 5000 })).lines).toHaveLength(11);
  const found = await log({ app: 'pod/long', grep: '/^LONG 1\\d$/i' });
  expect(found.lines.map((line) => line.slice(13))).toEqual(Array.from({ length: 10 }, (_, i) => `long 1${i}`));
  expect(await log({ app: 'pod/long', since: '1s', grep: 'long 1' })).toMatchObject({ lines: [] });
});

test('a pattern that would never end is ended; one that is none is refused at once', async () => {
  const began = performance.now();
  const run = await desk.done('logs', { app: 'pod/wide', env: 'staging', grep: '/(a+)+$/' });
  expect(run.fault).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('takes too long') });
  expect(performance.now() - began).toBeLessThan(8_000);
  await expect(desk.ask('logs', { app: 'web', env: 'staging', grep: '/(/' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
});

test('what a crashed container said, and what cannot be had, is told', async () => {
  const before = await until(
    'it crashed',
    () => log({ app: 'crash', previous: true }),
    ({ lines }) => lines.some((line) => line.includes('dying')),
  );
  expect(before.lines[0]).toContain('dying now');
  const none = await log({ app: 'web', previous: true });
  expect(none.lines).toEqual([]);
  expect(none.note).toContain('previous terminated container');
});

test('secrets are taken out, also a key of many lines', async () => {
  const { lines } = await log({ app: 'pod/secretive' });
  const text = lines.join('\n');
  expect(text).not.toMatch(/hunter22|MIIEow|c2VjcmV0/);
  expect(lines.at(-1)).toContain('after');
});

test('a secret that reaches over the cut of a line in the thread is no half secret', async () => {
  const value = 'xoxb-1234567890-abcdefghijklmnop';
  const script = `x=${'y'.repeat(260)}; while true; do echo "$x ${value}"; /bin/busybox sleep 1; done`;
  await make(ns, pod('leaky', [says('main', script)]));
  await ready(ns, 'leaky');
  const run = await desk.done('logs', { app: 'pod/leaky', env: 'staging', follow: '2s' });
  const said = (await thread(run.id)).join('\n');
  expect(said).toContain('yyy');
  expect(said).not.toContain('xoxb');
  expect(JSON.stringify(run.report)).not.toContain('xoxb');
});

async function thread(id: string): Promise<string[]> {
  const events = await desk.engine.store.events(id, '', 500);
  return events.filter(({ event }) => event.kind === 'log').map(({ event }) => event.text);
}

test('followed, it goes to the thread until the time is over, and the report has all of it', async () => {
  const run = await desk.done('logs', { app: 'chatty', env: 'staging', follow: '5s' });
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'text' } });
  const said = (await thread(run.id)).map((line) => Number(/tick (\d+)/.exec(line)?.[1]));
  expect(said.length).toBeGreaterThanOrEqual(4);
  expect(said).toEqual(said.map((_, i) => (said[0] ?? 0) + i));
  expect(run.report?.kind === 'text' && run.report.text.split('\n').length).toBe(said.length);
});

test('faster than people can read, lines are left out with their count, and none in the report', async () => {
  const run = await desk.done('logs', { app: 'noisy', env: 'staging', follow: '4s' });
  const lines = await thread(run.id);
  const shown = lines.filter((line) => line.includes('noise')).length;
  const left = lines.reduce((sum, line) => sum + Number(/^… (\d+) lines left out/.exec(line)?.[1] ?? 0), 0);
  expect(shown).toBeLessThanOrEqual(5 * 20);
  expect(left).toBeGreaterThan(50);
  const whole = run.report?.kind === 'text' ? run.report.text.split('\n') : [];
  expect(whole).toHaveLength(shown + left);
  const numbers = whole.map((line) => Number(/noise (\d+)/.exec(line)?.[1]));
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
});

test('only what fits is followed', async () => {
  const run = await desk.done('logs', { app: 'chatty', env: 'staging', follow: '3s', grep: '/tick \\d*[02468] /' });
  const said = (await thread(run.id)).map((line) => Number(/tick (\d+)/.exec(line)?.[1]));
  expect(said.length).toBeGreaterThan(0);
  expect(said.every((n) => n % 2 === 0)).toBe(true);
  expect(new Set(said).size).toBe(said.length);
});

test('a crash loop is followed over its restarts, and each line told once', async () => {
  await make(ns, deployment('flappy', [says('flappy', 'echo up again; /bin/busybox sleep 1; exit 1')]));
  const id = await desk.ask('logs', { app: 'flappy', env: 'staging', follow: '5m' });
  const going = advance(desk.engine, desk.leases, id);
  const said = async () => (await thread(id)).filter((line) => line.includes('up again'));
  // How long the kubelet waits between restarts doubles each time, and on a busy machine it is late besides.
  await until('it was up twice', said, (lines) => lines.length >= 2);
  await stop(desk.engine, id, { actor: ana });
  await going;
  const lines = await said();
  expect(new Set(lines).size).toBe(lines.length);
});

test('following stops on Stop', async () => {
  const id = await desk.ask('logs', { app: 'chatty', env: 'staging', follow: '5m' });
  const going = advance(desk.engine, desk.leases, id);
  await until(
    'it says something',
    () => thread(id),
    (lines) => lines.length > 1,
  );
  await stop(desk.engine, id, { actor: ana });
  const began = performance.now();
  await going;
  expect(performance.now() - began).toBeLessThan(4_000);
  expect((await desk.run(id)).state).toBe('cancelled');
  const { length } = await thread(id);
  await sleep(1_500);
  expect(await thread(id)).toHaveLength(length);
});
