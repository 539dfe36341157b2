import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BedBase, createBase, type Part } from './bed-base.ts';
import { compiledKubernetes } from './compile.ts';
import { startContainerd } from './containerd.ts';
import { type Docker, startDocker } from './docker.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';
import { ensurePackages } from './packages.ts';
import { startRedis } from './redis.ts';
import { startRegistry } from './registry.ts';

export type Testbed = {
  dir: string;
  redis: Part & { url: string; port: number };
  registry: Part & { host: string };
  docker: Docker;
  kubernetes: Kubernetes;
  /** An image with a static /bin/busybox. */
  busybox: string;
  /** The example app's image `HOST/web:TAG`, built and pushed. v3 crashes when it starts. */
  pushWeb(tag: string): Promise<string>;
  stop(): Promise<void>;
};

const exampleContext = fileURLToPath(new URL('../examples/web', import.meta.url));

/** Brings in what the bed is made of: system packages and compiled programs. Slow only once on a machine. */
export async function setUp(log: (line: string) => void, options: { browser?: boolean } = {}): Promise<void> {
  await ensurePackages(
    ['redis', 'registry', 'docker', 'kubernetes', ...(options.browser ? (['browser'] as const) : [])],
    log,
  );
  await compiledKubernetes(log);
}

/** The base image of the example: nothing can be pulled here, so it is made of the machine's own static busybox. */
async function pushBusybox(base: BedBase, docker: Docker, registry: string): Promise<string> {
  const context = join(base.dir, 'busybox');
  await mkdir(context);
  await copyFile('/bin/busybox', join(context, 'busybox'));
  await writeFile(
    join(context, 'Dockerfile'),
    'FROM scratch\nCOPY busybox /bin/busybox\nENTRYPOINT ["/bin/busybox"]\n',
  );
  const tag = `${registry}/busybox:1`;
  await docker.buildAndPush(context, tag);
  return tag;
}

/** Starts all parts side by side. What fails, or a process that dies, takes the whole bed down with it. */
export async function startTestbed(options: { log: (line: string) => void; registryPort?: number }): Promise<Testbed> {
  const base = await createBase(options.log);
  try {
    const registry = await startRegistry(base, options.registryPort ?? 0);
    const containerd = startContainerd(base, registry.host).then(({ socket }) => socket);
    const [redis, docker, kubernetes] = await Promise.all([
      startRedis(base),
      containerd.then((socket) => startDocker(base, socket)),
      startKubernetes(base, containerd),
    ]);
    const busybox = await pushBusybox(base, docker, registry.host);
    const pushWeb = async (tag: string) => {
      const image = `${registry.host}/web:${tag}`;
      await docker.buildAndPush(exampleContext, image, { BASE: busybox, VERSION: tag });
      return image;
    };
    return { dir: base.dir, redis, registry, docker, kubernetes, busybox, pushWeb, stop: base.stop };
  } catch (problem) {
    await base.stop();
    throw problem;
  }
}
