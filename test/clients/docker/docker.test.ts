import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocker } from '../../../src/clients/docker/docker.ts';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import type { BuildProgress } from '../../../src/core/ports.ts';
import { bed } from '../../support/bed.ts';

const docker = createDocker({ host: bed.dockerHost });
const { signal } = new AbortController();
let context: string;

beforeAll(async () => {
  context = await mkdtemp(join(tmpdir(), 'shipmate-context-'));
  await mkdir(join(context, 'secrets'));
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM ${bed.busybox}\nARG VERSION\nLABEL version=\${VERSION}\nCOPY . /app/\n`,
  );
  await writeFile(join(context, '.dockerignore'), 'secrets\n*.log\n!keep.log\n');
  await writeFile(join(context, 'secrets', 'key'), 'planted');
  await writeFile(join(context, 'noise.log'), 'x');
  await writeFile(join(context, 'keep.log'), 'x');
  await symlink('/etc/passwd', join(context, 'link'));
});
afterAll(async () => rm(context, { recursive: true }));

const options = (change: Record<string, unknown> = {}) => ({
  context,
  dockerfile: 'Dockerfile',
  tag: `${bed.registryHost}/built:t1`,
  args: { VERSION: 't1' },
  ...change,
});

describe('a build on a real daemon', () => {
  test('shows its steps, and its push gives the digest that the registry has', async () => {
    const seen: BuildProgress[] = [];
    await docker.build(options(), (progress) => seen.push(progress), signal);
    expect(seen.filter(({ step }) => step !== undefined).map(({ step, steps }) => `${step}/${steps}`)).toEqual([
      '1/4',
      '2/4',
      '3/4',
      '4/4',
    ]);
    const { digest } = await docker.push(options().tag, () => {}, signal);
    expect(await createRegistry().resolve(options().tag, 'built', signal)).toBe(digest);
  });

  test('that fails names the instruction', async () => {
    await writeFile(join(context, 'Broken'), `FROM ${bed.busybox}\nCOPY missing /\n`);
    const broken = docker.build(options({ dockerfile: 'Broken' }), () => {}, signal);
    await expect(broken).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('COPY missing /'),
    });
  });

  test.each([
    [{ context: '/nowhere' }, 'does not exist'],
    [{ dockerfile: 'Nofile' }, 'there is no Nofile'],
    [{ dockerfile: '../../etc/passwd' }, /there is no|lies outside/],
    [{ dockerfile: 'link' }, 'lies outside'],
  ])('is refused before anything is sent: %j', async (change, words) => {
    const refused = docker.build(options(change), () => {}, signal);
    await expect(refused).rejects.toMatchObject({ code: 'BUILD_FAILED', message: expect.stringMatching(words) });
  });

  test('can be stopped', async () => {
    const abort = new AbortController();
    const stopped = docker.build(options(), () => abort.abort(), abort.signal);
    await expect(stopped).rejects.toThrow();
  });
});

test('a push to a registry that is not there says so', async () => {
  const tag = '127.0.0.1:1/built:t1';
  await docker.build(options({ tag }), () => {}, signal);
  await expect(docker.push(tag, () => {}, signal)).rejects.toMatchObject({ code: 'PUSH_FAILED' });
});

test('a daemon that is not there says so', async () => {
  const away = createDocker({ host: 'unix:///nowhere/docker.sock' });
  await expect(away.build(options(), () => {}, signal)).rejects.toMatchObject({
    code: 'DOCKER_UNREACHABLE',
    retry: 'later',
  });
});
