import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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

const rounds = { cached: 31, uncached: 7 };
const files = 500;
const { signal } = new AbortController();

type Build = (fresh: boolean) => Promise<unknown>;

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

/** Shipmate's client and what it is to build; a run of it is a build that goes into no registry. */
async function ownBuild(bed: Ground['bed'], program: string, folder: string): Promise<Build> {
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
  const order: BuildOrder = {
    source,
    context: await docker.look(source, 'Dockerfile', signal),
    dockerfile: 'Dockerfile',
    image: `${bed.registry.host}/bench-build:ours`,
    args: {},
    platforms: [],
    secrets: [],
    cache: false,
    fresh: false,
    key: 'shipmate-bench',
    labels: {},
    secretRefs: {},
  };
  return (fresh) => docker.build({ ...order, fresh }, () => {}, signal);
}

async function race(name: 'cached' | 'uncached', limit: number, ours: Build, floor: Build): Promise<Figure> {
  const samples = { ours: [] as number[], floor: [] as number[] };
  const fresh = name === 'uncached';
  await ours(fresh);
  await floor(fresh);
  for (let n = 0; n < rounds[name]; n++) {
    // Each goes first as often as the other.
    if (n % 2 === 0) samples.ours.push(await timed(() => ours(fresh)));
    samples.floor.push(await timed(() => floor(fresh)));
    if (n % 2 === 1) samples.ours.push(await timed(() => ours(fresh)));
  }
  return {
    name: `build-${name}`,
    ours: quantile(samples.ours, 0.5),
    floor: quantile(samples.floor, 0.5),
    unit: `ms for a ${name} build, median; the floor is docker build`,
    limit,
  };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/**
 * The command `docker build` with the very buildx that Shipmate runs, which goes into no registry either. Its own settings lie beside
 * the context, which would be another one with them; they stay from build to build, so it sends of the context what is new alone.
 */
async function dockerBuild(bed: Ground['bed'], program: string, folder: string, home: string): Promise<Build> {
  await mkdir(join(home, 'cli-plugins'));
  await symlink(program, join(home, 'cli-plugins', 'docker-buildx'));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    DOCKER_CONFIG: home,
    DOCKER_HOST: bed.docker.host,
    DOCKER_BUILDKIT: '1',
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  };
  const flags = ['--network=none', '--progress=plain', `--tag=${bed.registry.host}/bench-build:theirs`];
  return (fresh) => {
    const more = fresh ? ['--no-cache', '--pull'] : [];
    return promisify(execFile)('docker', ['build', ...flags, ...more, folder], { env });
  };
}

/** A build through Shipmate's client, cached and not, against the command `docker build` on the same context and daemon. */
export async function build({ bed }: Pick<Ground, 'bed'>): Promise<Figure[]> {
  const program = join(await compiled('buildx', () => {}), 'buildx');
  const [folder, home] = [
    await mkdtemp(join(tmpdir(), 'shipmate-bench-')),
    await mkdtemp(join(tmpdir(), 'shipmate-bench-')),
  ];
  try {
    await makeContext(folder, bed.busybox);
    const ours = await ownBuild(bed, program, folder);
    const floor = await dockerBuild(bed, program, folder, home);
    return [await race('cached', 1.1, ours, floor), await race('uncached', 1.05, ours, floor)];
  } finally {
    for (const made of [folder, home]) await rm(made, { recursive: true, force: true });
  }
}
