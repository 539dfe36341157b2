import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { docker, dockerSays } from '../../support/docker-cli.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const own = `t${process.pid}`;
const named = (name: string) => `${own}-${name}`;
const host = 'build';
let desk: RealDesk;
let shared: string;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'shipmate-shared-'));
  const exec = { allow: ['/bin/busybox *', '/bin/busybox * *', '/bin/nothing'], seconds: 1, kilobytes: 1 };
  const allow = { mounts: [shared], privileged: false };
  desk = await realDesk({
    dockerHosts: {
      build: { address: bed.dockerHost, exec, allow },
      closed: { address: bed.dockerHost, who: ['nobody'] },
      away: { address: 'unix:///nowhere/docker.sock' },
    },
  });
});
afterAll(async () => {
  const left = await docker('ps', '-aq', '--filter', `name=${own}`);
  if (left !== '') await docker('rm', '-fv', ...left.split('\n'));
  await desk.end();
  await rm(shared, { recursive: true });
});

const sleeper = (name: string, more: Record<string, unknown> = {}) =>
  desk.done('docker-run', { image: bed.busybox, name: named(name), host, command: ['sleep', '3600'], ...more });
const inspect = async (name: string, format: string): Promise<string> =>
  await docker('inspect', named(name), '--format', format);

test('a container is made with all that was asked for, kept up, and undone', { timeout: 60_000 }, async () => {
  const run = await sleeper('full', {
    memory: '64Mi',
    cpus: 0.5,
    pids: 50,
    restart: 'on-failure:3',
    env: ['LEVEL=info', 'GREETING=hello there'],
    ports: ['127.0.0.1:18231:80'],
    mounts: [`${named('data')}:/data:ro`],
    network: 'none',
    user: '1000:1000',
  });
  expect(run).toMatchObject({
    state: 'finished',
    report: { kind: 'changed', objects: [`container/${named('full')}`] },
  });
  expect(run.plan?.changes).toEqual(
    expect.arrayContaining([
      { path: `container/${named('full')} memory`, to: '64Mi' },
      { path: `container/${named('full')} env.LEVEL`, to: 'info' },
    ]),
  );
  const config = JSON.parse(await inspect('full', '{{json .HostConfig}}'));
  expect(config).toMatchObject({
    Memory: 64 * 1_048_576,
    NanoCpus: 5e8,
    PidsLimit: 50,
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18231' }] },
    Binds: [`${named('data')}:/data:ro`],
    SecurityOpt: ['no-new-privileges'],
    Privileged: false,
  });
  expect(await inspect('full', '{{.State.Status}} {{.Config.User}} {{index .Config.Labels "shipmate.dev/run"}}')).toBe(
    `running 1000:1000 ${run.id}`,
  );
  const again = await sleeper('full');
  expect(again).toMatchObject({ state: 'failed', fault: { code: 'OBJECT_EXISTS' } });
  const { operation = '', input = {} } = run.plan?.undo ?? {};
  expect(await desk.done(operation, input)).toMatchObject({ state: 'finished' });
  expect(await dockerSays('inspect', named('full'))).toContain('No such object');
  await docker('volume', 'rm', named('data'));
});

test('an image that the host lacks is pulled first, and one that nobody has says so', { timeout: 60_000 }, async () => {
  const image = `${bed.registryHost}/${named('own')}:v1`;
  await docker('tag', bed.busybox, image);
  await docker('push', '-q', image);
  await docker('rmi', image);
  const run = await desk.done('docker-run', { image, name: named('pulled'), host, start: false });
  expect(run).toMatchObject({
    state: 'finished',
    report: { objects: [`image/${image}`, `container/${named('pulled')}`] },
  });
  const pulled = expect.stringMatching(/^pulled, sha256:[0-9a-f]{64}$/);
  expect(run.plan?.changes[0]).toEqual({ path: `image/${image}`, to: pulled });
  expect(await inspect('pulled', '{{.Config.Image}}')).toBe(image);
  expect(await inspect('pulled', '{{.State.Status}}')).toBe('created');
  const none = await desk.done('docker-run', { image: `${bed.registryHost}/nothing:v9`, name: named('none'), host });
  expect(none).toMatchObject({
    state: 'failed',
    fault: { code: 'DOCKER_HOST_REFUSED', message: expect.stringMatching(/nothing.*not found|manifest unknown/s) },
  });
});

test('stop, start, restart and delete, each with its plan; done twice it is like that already', {
  timeout: 90_000,
}, async () => {
  const name = named('life');
  await sleeper('life');
  const input = { name, host, seconds: 0 };
  const stopped = await desk.done('docker-stop', input);
  expect(stopped).toMatchObject({
    state: 'finished',
    plan: { changes: [{ path: `container/${name} state`, from: 'running', to: 'stopped' }] },
  });
  expect(await inspect('life', '{{.State.Status}}')).toBe('exited');
  expect(await desk.done('docker-stop', input)).toMatchObject({ report: { kind: 'unchanged' } });
  const { operation = '', input: back = {} } = stopped.plan?.undo ?? {};
  expect(await desk.done(operation, back)).toMatchObject({ state: 'finished' });
  const began = await inspect('life', '{{.State.StartedAt}}');
  expect(await desk.done('docker-restart', input)).toMatchObject({ state: 'finished' });
  expect(await inspect('life', '{{.State.StartedAt}}')).not.toBe(began);
  expect(await desk.done('docker-remove', { name, host })).toMatchObject({
    fault: { code: 'STILL_USED', hint: expect.stringContaining('force=yes') },
  });
  expect(await desk.done('docker-remove', { name, host, force: true })).toMatchObject({ state: 'finished' });
  expect(await dockerSays('inspect', name)).toContain('No such object');
  expect(await desk.done('docker-start', { name, host })).toMatchObject({ fault: { code: 'NO_SUCH_OBJECT' } });
});

test('a container that dies or is not healthy fails the run that started it', { timeout: 120_000 }, async () => {
  const dies = await desk.done('docker-run', {
    image: bed.busybox,
    name: named('dies'),
    host,
    command: ['ls', '/none'],
  });
  expect(dies).toMatchObject({
    state: 'failed',
    fault: { code: 'CONTAINER_DIED', message: expect.stringContaining('exit code 1') },
  });
  const loops = await desk.done('docker-run', {
    image: bed.busybox,
    name: named('loops'),
    host,
    restart: 'always',
    command: ['ls', '/none'],
  });
  expect(loops).toMatchObject({
    fault: { code: 'CONTAINER_DIED', message: expect.stringContaining('again and again') },
  });
  await docker('rm', '-f', named('loops'));
  const log = await desk.done('docker-logs', { name: named('dies'), host });
  expect(log.report).toMatchObject({ kind: 'text', text: expect.stringContaining('/none: No such file') });
});

test('what is wrong is said before anything is done, with the name that was probably meant', async () => {
  await sleeper('web');
  expect(await desk.done('docker-stop', { name: named('wib'), host })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining(`Did you mean “${named('web')}”?`) },
  });
  expect(await desk.done('docker-containers', { host: 'buld' })).toMatchObject({
    fault: { code: 'UNKNOWN_DOCKER_HOST', message: expect.stringContaining('Did you mean “build”?') },
  });
  expect(await desk.done('docker-containers', {})).toMatchObject({
    fault: { message: expect.stringContaining('Say “on NAME”') },
  });
  expect(await desk.done('docker-containers', { host: 'closed' })).toMatchObject({
    fault: { code: 'DOCKER_HOST_NOT_YOURS' },
  });
  expect(await desk.done('docker-stop', { name: 'web', host: 'away' })).toMatchObject({
    fault: { code: 'DOCKER_HOST_UNREACHABLE', message: expect.stringContaining('no such socket') },
  });
  for (const wrong of [
    { ports: ['99999:80'] },
    { mounts: ['data:/a/../../etc'] },
    { memory: '64 bananas' },
    { name: '../etc' },
    { network: 'container:web' },
  ])
    await expect(sleeper('wrong', wrong)).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('what would give it the host is refused unless shipmate.yaml allows it', async () => {
  await docker('volume', 'create', '--opt', 'type=none', '--opt', 'o=bind', '--opt', 'device=/etc', named('sly'));
  const refused: [Record<string, unknown>, string][] = [
    [{ privileged: true }, 'allow.privileged'],
    [{ network: 'host' }, 'allow.hostNetwork'],
    [{ mounts: ['/etc:/host'] }, 'allow.mounts'],
    [{ mounts: ['/var/run/docker.sock:/s'] }, 'allow.mounts'],
    [{ mounts: [`${shared}2:/s`] }, 'allow.mounts'],
    [{ mounts: [`${shared}/./../x:/s`] }, ''],
    [{ mounts: [`${named('sly')}:/host`] }, 'allow.mounts'],
  ];
  for (const [more, setting] of refused) {
    if (setting === '') await expect(sleeper('no', more)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    else
      expect(await sleeper('no', more), JSON.stringify(more)).toMatchObject({
        state: 'failed',
        fault: { code: 'NOT_ALLOW_LISTED', hint: expect.stringContaining(setting) },
      });
  }
  expect(await dockerSays('inspect', named('no'))).toContain('No such object');
  await docker('volume', 'rm', named('sly'));
  expect(await sleeper('shared', { mounts: [`${shared}/www:/www`] })).toMatchObject({ state: 'finished' });
});

test('commands run in a container only where a pattern allows them; they end', { timeout: 60_000 }, async () => {
  await sleeper('exec');
  const name = named('exec');
  const exec = (command: string[], more: Record<string, unknown> = {}) =>
    desk.done('docker-exec', { name, host, command, ...more });
  const listed = await exec(['/bin/busybox', 'ls', '/bin']);
  expect(listed).toMatchObject({
    state: 'finished',
    report: { kind: 'executed', text: 'busybox\n', exitCode: 0, cut: false },
  });
  expect(await exec(['/bin/busybox', 'ls', '/none'])).toMatchObject({
    state: 'failed',
    report: { exitCode: 1, text: expect.stringContaining('No such file') },
  });
  expect(await exec(['/bin/busybox', 'cat', '/bin/busybox'])).toMatchObject({ report: { cut: true, exitCode: 0 } });
  expect(await exec(['/bin/busybox', 'sleep', '30'])).toMatchObject({ state: 'timed-out', report: { timedOut: true } });
  expect(await exec(['/bin/nothing'])).toMatchObject({ state: 'failed', report: { kind: 'executed' } });
  expect(await desk.done('docker-exec', { name, host, command: ['rm', '-rf', '/'] })).toMatchObject({
    fault: { code: 'NOT_ALLOW_LISTED', hint: expect.stringContaining('dockerHosts.build.exec.allow') },
  });
  expect(await desk.done('docker-exec', { name, host: 'away', command: ['ls'] })).toMatchObject({
    fault: { code: 'NOT_ALLOW_LISTED' },
  });
});

test('containers, one of them, its log, its use and the hosts are shown', { timeout: 60_000 }, async () => {
  const name = named('seen');
  await desk.done('docker-run', {
    image: bed.busybox,
    name,
    host,
    memory: '32Mi',
    env: ['A=1'],
    command: ['sh', '-c', 'echo one; echo two >&2; sleep 3600'],
  });
  const table = await desk.done('docker-containers', { host });
  expect(table.report).toMatchObject({
    kind: 'table',
    rows: expect.arrayContaining([[name, bed.busybox, expect.stringContaining('Up'), '', expect.any(String)]]),
  });
  const one = await desk.done('docker-show', { name, host });
  expect(one.report).toMatchObject({
    rows: expect.arrayContaining([
      ['limits', '32.0 MiB'],
      ['image', bed.busybox],
    ]),
  });
  const stats = await desk.done('docker-stats', { name, host });
  expect(stats.report).toMatchObject({
    rows: [
      [
        name,
        expect.stringMatching(/%$/),
        expect.stringContaining('of 32.0 MiB'),
        expect.any(String),
        expect.any(String),
        '1',
      ],
    ],
  });
  const log = await desk.done('docker-logs', { name, host });
  expect(log.report).toMatchObject({ text: expect.stringContaining('one') });
  const hosts = await desk.done('docker-hosts', {});
  expect(hosts.report).toMatchObject({
    rows: [
      [
        'build',
        bed.dockerHost,
        expect.stringMatching(/^\d+\./),
        expect.stringContaining('of'),
        expect.any(String),
        expect.any(String),
      ],
      ['closed', expect.any(String), expect.stringContaining('nobody'), '', '', ''],
      ['away', expect.any(String), expect.stringContaining('no such socket'), '', '', ''],
    ],
  });
});
