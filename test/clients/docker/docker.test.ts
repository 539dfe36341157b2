import { writeFileSync } from 'node:fs';
import { symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import type { BuildProgress } from '../../../src/core/build.ts';
import { bed } from '../../support/bed.ts';
import { buildFrom, contextOf, dockerAt } from '../../support/builds.ts';
import { docker as cli } from '../../support/docker-cli.ts';
import { runs } from '../../support/processes.ts';

const docker = dockerAt({ host: bed.dockerHost, buildx: bed.buildx });
const { signal } = new AbortController();
const image = `${bed.registryHost}/built:t1`;
const shell = (text: string) => `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(text)}]`;
let folder: string;

beforeEach(async () => {
  folder = await contextOf({
    Dockerfile: `FROM ${bed.busybox}\nARG VERSION\nLABEL version=\${VERSION}\nCOPY . /app/\n`,
    '.dockerignore': 'secrets\n*.log\n!keep.log\n',
    'secrets/key': 'planted',
    'noise.log': 'x',
    'keep.log': 'x',
  });
});
const source = () => ({ kind: 'folder' as const, folder });

describe('a build on a real daemon', () => {
  test('shows its steps, honours .dockerignore, and its push gives the digest that the registry has', async () => {
    const seen: BuildProgress[] = [];
    await symlink('/etc/passwd', join(folder, 'link'));
    const order = {
      image,
      args: { VERSION: 't1' },
      labels: { 'org.opencontainers.image.revision': 'abc' },
      fresh: true,
    };
    const whole = await buildFrom(docker, source(), order, (progress) => seen.push(progress), signal);
    expect(seen.map(({ step, steps, text }) => `${step}/${steps} ${text}`)).toEqual([
      expect.stringContaining(`1/2 FROM ${bed.busybox}`),
      '2/2 COPY . /app/',
    ]);
    const { digest } = await docker.pushBuilt(whole, () => {}, signal);
    expect(await createRegistry().resolve(image, 'built', signal)).toBe(digest);
    const [{ Config }] = JSON.parse(await cli('image', 'inspect', image));
    expect(Config.Labels).toMatchObject({ version: 't1', 'org.opencontainers.image.revision': 'abc' });
    const listed = await cli('run', '--rm', '--network', 'none', image, 'ls', '-l', '/app');
    expect(listed).toContain('keep.log');
    expect(listed).toContain('link -> /etc/passwd');
    expect(listed).not.toMatch(/secrets|noise/);
  });

  test('that fails names the line of the Dockerfile and its stage, and shows what it printed', async () => {
    folder = await contextOf({
      Dockerfile: `# a comment\nFROM ${bed.busybox} AS base\n${shell('echo fine')}\n\nFROM base AS last\n${shell('echo it broke; exit 3')}\n`,
    });
    const seen: BuildProgress[] = [];
    const broken = buildFrom(docker, source(), { image, fresh: true }, (progress) => seen.push(progress), signal);
    await expect(broken).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(/Dockerfile:6, RUN .*exit code: 3/),
    });
    expect(seen.map(({ text }) => text)).toContain('it broke');
    expect(seen).toContainEqual(expect.objectContaining({ stage: 'last', step: 1, steps: 1 }));
  });

  test('takes a target, and says which base image cannot be pulled', async () => {
    folder = await contextOf({
      Dockerfile: `FROM ${bed.busybox} AS small\nLABEL stage=small\nFROM ${bed.registryHost}/nothing:v9\n`,
    });
    await buildFrom(docker, source(), { image, target: 'small' }, () => {}, signal);
    const [{ Config }] = JSON.parse(await cli('image', 'inspect', image));
    expect(Config.Labels.stage).toBe('small');
    await expect(buildFrom(docker, source(), { image }, () => {}, signal)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(/base image \S+\/nothing:v9 cannot be pulled: .*not found/),
    });
  });

  test('gives secrets to the build alone: not in the image, its history, or what is told', async () => {
    const secret = 'plant-3d-s3cret-of-the-build';
    folder = await contextOf({
      Dockerfile: `FROM ${bed.busybox}\nRUN --mount=type=secret,id=npm ["/bin/busybox", "sh", "-c", "/bin/busybox cat /run/secrets/npm; /bin/busybox wc -c < /run/secrets/npm > /size"]\n`,
    });
    const seen: BuildProgress[] = [];
    const own = dockerAt({ host: bed.dockerHost, buildx: bed.buildx, secret: () => secret });
    const order = { image, secrets: ['npm'], secretRefs: { npm: { env: 'NPM_TOKEN' } }, fresh: true };
    await buildFrom(own, source(), order, (progress) => seen.push(progress), signal);
    expect((await cli('run', '--rm', '--network', 'none', image, 'cat', '/size')).trim()).toBe(String(secret.length));
    const told = [
      JSON.stringify(seen),
      await cli('history', '--no-trunc', image),
      await cli('image', 'inspect', image),
    ];
    expect(told.join('\n')).not.toContain(secret);
    expect(JSON.stringify(seen)).toContain('[redacted]');
    const files = await cli('run', '--rm', '--network', 'none', image, 'grep', '-r', secret, '/size', '/bin').catch(
      String,
    );
    expect(files).not.toMatch(new RegExp(`${secret}$`, 'm'));
  });

  test('ends where it runs when it is stopped', async () => {
    folder = await contextOf({
      Dockerfile: `FROM ${bed.busybox}\n${shell(`exec /bin/busybox sleep 31${process.pid}`)}\n`,
    });
    const stop = new AbortController();
    const stopped = buildFrom(
      docker,
      source(),
      { image, fresh: true },
      ({ text }) => {
        if (text.startsWith('RUN')) setTimeout(() => stop.abort(new Error('stopped')), 500);
      },
      stop.signal,
    );
    await expect(stopped).rejects.toThrow('stopped');
    await expect.poll(() => runs(`sleep 31${process.pid}`), { timeout: 5_000 }).toBe(false);
  });
});

describe('a context', () => {
  test.each([
    [{ folder: '/nowhere' }, 'Dockerfile', 'does not exist'],
    [{}, 'Nofile', 'there is no Nofile'],
    [{}, '../../etc/passwd', 'lies outside'],
    [{}, 'link', 'is a link'],
    [{}, '/etc/passwd', 'lies outside'],
    [{}, 'secrets', 'is a folder'],
  ])('is refused before anything is sent: %j %s', async (change, dockerfile, words) => {
    await symlink('/etc/passwd', join(folder, 'link'));
    await expect(docker.look({ ...source(), ...change }, dockerfile, signal)).rejects.toMatchObject({
      code: 'CONTEXT_REFUSED',
      message: expect.stringContaining(words),
    });
  });

  test('outside of the folders that are allowed is refused, also over a link', async () => {
    const other = await contextOf({ Dockerfile: 'FROM scratch\n' });
    await symlink(other, join(folder, 'away'));
    const within = [folder];
    for (const outside of [other, join(folder, 'away'), join(folder, '..')])
      await expect(
        docker.look({ kind: 'folder', folder: outside, within }, 'Dockerfile', signal),
      ).rejects.toMatchObject({
        code: 'CONTEXT_REFUSED',
        message: expect.stringContaining('no folder that may be built from'),
      });
    expect(await docker.look({ kind: 'folder', folder, within }, 'Dockerfile', signal)).toMatchObject({ files: 4 });
  });

  test.each([
    '# syntax=evil/frontend:1',
    '#syntax = evil/frontend:1',
    '# escape=`\n# syntax=evil/frontend:1',
    '// syntax=evil/frontend:1',
  ])('that asks for a frontend of its own is refused, unless it is allowed: %s', async (line) => {
    folder = await contextOf({ Dockerfile: `${line}\nFROM scratch\n` });
    await expect(docker.look(source(), 'Dockerfile', signal)).rejects.toMatchObject({
      code: 'CONTEXT_REFUSED',
      message: expect.stringContaining('evil/frontend:1'),
    });
    const lenient = dockerAt({ host: bed.dockerHost, buildx: bed.buildx }, { frontends: ['evil/frontend:1'] });
    expect(await lenient.look(source(), 'Dockerfile', signal)).toMatchObject({ files: 1 });
  });

  test.each([
    '{"syntax": "evil/frontend:1"}',
    String.raw`{"\u0073yntax": "evil/frontend:1"}`,
    '{"syntax": "docker/dockerfile:1", "syntax": "evil/frontend:1"}',
    '// syntax=docker/dockerfile:1\n# syntax=evil/frontend:1\nFROM scratch\n',
  ])('that two readers may read differently is refused, whatever is allowed: %s', async (text) => {
    folder = await contextOf({ Dockerfile: text });
    const lenient = dockerAt({ host: bed.dockerHost, buildx: bed.buildx }, { frontends: ['docker/dockerfile:1'] });
    for (const each of [docker, lenient])
      await expect(each.look(source(), 'Dockerfile', signal)).rejects.toMatchObject({ code: 'CONTEXT_REFUSED' });
  });

  test('that changed since it was planned is not built', async () => {
    const context = await docker.look(source(), 'Dockerfile', signal);
    folder = await contextOf({ Dockerfile: 'FROM scratch\nCOPY . /\n', other: 'x' });
    await expect(buildFrom(docker, source(), { image, context }, () => {}, signal)).rejects.toMatchObject({
      code: 'CONTEXT_CHANGED',
    });
  });

  test('is built as it is now, also where a file was written anew with its old size and time', async () => {
    const [file, long] = [join(folder, 'keep.log'), new Date(1_600_000_000_000)];
    const built = async (text: string) => {
      await writeFile(file, text);
      await utimes(file, long, long);
      // What was written just now is looked at whole; it is to be old enough for the shorter way.
      await sleep(2_100);
      await buildFrom(docker, source(), { image }, () => {}, signal);
      return await cli('run', '--rm', '--network', 'none', image, 'cat', '/app/keep.log');
    };
    expect(await built('one')).toBe('one');
    expect(await built('two')).toBe('two');
    expect(await built('one')).toBe('one');
  });

  test.each([
    ['and is another one then is not pushed', 'other', false],
    ['and is the same then is', 'x', true],
  ])('that somebody writes to during its build %s', async (_, text, pushed) => {
    folder = await contextOf({ Dockerfile: `FROM ${bed.busybox}\nCOPY . /app/\n${shell('echo on')}\n`, file: 'x' });
    await sleep(2_100);
    const seen = ({ text: line }: BuildProgress) => {
      if (line.startsWith('RUN')) writeFileSync(join(folder, 'file'), text);
    };
    const build = buildFrom(docker, source(), { image, fresh: true }, seen, signal);
    if (pushed) expect(await build).toMatchObject({ image });
    else await expect(build).rejects.toMatchObject({ code: 'CONTEXT_CHANGED' });
  });
});

test('a push to a registry that is not there says so, and may be tried again', async () => {
  const away = '127.0.0.1:1/built:t1';
  const whole = await buildFrom(docker, source(), { image: away }, () => {}, signal);
  await expect(docker.pushBuilt(whole, () => {}, signal)).rejects.toMatchObject({ code: 'PUSH_BROKE', retry: 'later' });
});

test('a daemon that is not there says so, and so does a buildx that is not', async () => {
  const away = dockerAt({ host: 'unix:///nowhere/docker.sock', buildx: bed.buildx });
  await expect(buildFrom(away, source(), { image }, () => {}, signal)).rejects.toMatchObject({
    code: 'DOCKER_UNREACHABLE',
    retry: 'later',
  });
  const without = dockerAt({ host: bed.dockerHost, buildx: '/nowhere/buildx' });
  await expect(buildFrom(without, source(), { image }, () => {}, signal)).rejects.toMatchObject({
    code: 'BUILDX_MISSING',
  });
});
