import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createDocker } from '../src/clients/docker/docker.ts';
import { createGit } from '../src/clients/git/git.ts';
import { createRegistry } from '../src/clients/registry/registry.ts';
import type { BuildOrder } from '../src/core/build.ts';
import { BuildSettings } from '../src/core/image-settings.ts';
import { compiled } from '../testbed/compile.ts';
import { type Figure, quantile } from './figures.ts';
import type { Ground } from './ground.ts';

const rounds = { cached: 15, uncached: 7 };
const files = 500;
const { signal } = new AbortController();

/** A context as of a service: some megabytes of files, and a step that works for some seconds. */
async function makeContext(root: string, base: string): Promise<void> {
  await mkdir(join(root, 'src'), { recursive: true });
  const text = 'export const answer = 42;\n'.repeat(400);
  for (let n = 0; n < files; n++) await writeFile(join(root, 'src', `file${n}.ts`), text);
  const work =
    'i=0; while [ $i -lt 12 ]; do /bin/busybox dd if=/dev/zero bs=1M count=64 2>/dev/null | /bin/busybox sha256sum; i=$((i+1)); done';
  const step = JSON.stringify(['/bin/busybox', 'sh', '-c', work]);
  await writeFile(join(root, 'Dockerfile'), `FROM ${base}\nCOPY . /app/\nRUN ${step}\n`);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** A build through Shipmate's client, cached and not, against the command `buildx build` on the same context and daemon. */
export async function build({ bed }: Pick<Ground, 'bed'>): Promise<Figure[]> {
  const program = join(await compiled('buildx', () => {}), 'buildx');
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-bench-'));
  try {
    await makeContext(folder, bed.busybox);
    const settings = BuildSettings.parse({ network: 'none' });
    const docker = createDocker({
      host: bed.docker.host,
      buildx: program,
      git: createGit(),
      registry: createRegistry(),
      settings: () => settings,
      secret: () => '',
    });
    const source = { kind: 'folder' as const, folder };
    const context = await docker.look(source, 'Dockerfile', signal);
    const image = `${bed.registry.host}/bench-build`;
    const order: BuildOrder = {
      source,
      context,
      dockerfile: 'Dockerfile',
      image: `${image}:ours`,
      args: {},
      platforms: [],
      secrets: [],
      cache: false,
      fresh: false,
      key: 'shipmate-bench',
      labels: {},
      secretRefs: {},
    };
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      DOCKER_HOST: bed.docker.host,
      BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
    };
    // Its own settings lie beside the context, which would be another one with them.
    const home = await mkdtemp(join(tmpdir(), 'shipmate-bench-'));
    const command = (...more: string[]) =>
      promisify(execFile)(
        program,
        [
          'build',
          '--builder=default',
          '--network=none',
          '--progress=plain',
          ...more,
          `--tag=${image}:theirs`,
          '--',
          folder,
        ],
        { env: { ...env, HOME: home, DOCKER_CONFIG: home } },
      );
    const figures: Figure[] = [];
    const race = async (
      name: 'cached' | 'uncached',
      limit: number,
      ours: () => Promise<void>,
      floor: () => Promise<unknown>,
    ) => {
      const samples = { ours: [] as number[], floor: [] as number[] };
      await ours();
      await floor();
      for (let n = 0; n < rounds[name]; n++) {
        // Each goes first as often as the other.
        if (n % 2 === 0) samples.ours.push(await timed(ours));
        samples.floor.push(await timed(floor));
        if (n % 2 === 1) samples.ours.push(await timed(ours));
      }
      figures.push({
        name: `build-${name}`,
        ours: quantile(samples.ours, 0.5),
        floor: quantile(samples.floor, 0.5),
        unit: `ms for a ${name} build, median; the floor is buildx build`,
        limit,
      });
    };
    await race(
      'cached',
      1.1,
      () => docker.build(order, () => {}, signal),
      () => command(),
    );
    await race(
      'uncached',
      1.05,
      () => docker.build({ ...order, fresh: true }, () => {}, signal),
      () => command('--no-cache', '--pull'),
    );
    await rm(home, { recursive: true, force: true });
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
