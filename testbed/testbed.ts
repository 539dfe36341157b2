import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BedBase, createBase } from './bed-base.ts';
import { type Cluster, clusterOfContext } from './cluster.ts';
import { startContainerd } from './containerd.ts';
import { type Docker, type DockerHost, dockerAt, startDocker } from './docker.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';
import type { Launch, Part } from './launch.ts';
import { startMountNamespace } from './mount-namespace.ts';
import { startRedis } from './redis.ts';
import { startRegistry } from './registry.ts';
import { requireRoot } from './setup.ts';

type Common = {
  id: string;
  dir: string;
  redis: Part & { url: string; port: number };
  /** An image with a static /bin/busybox. */
  busybox: string;
  /** Builds and pushes the example app, as `HOST/NAME:TAG`; NAME is web where none is said. v3 crashes when it starts. */
  pushWeb(tag: string, name?: string): Promise<string>;
  /** Starts another program that must not outlive the bed; its output is in `DIR/logs/NAME.log`. */
  launch: Launch;
  /** A port of loopback for one more part. */
  port(): Promise<number>;
  stop(): Promise<void>;
};

export type Testbed = Common & { registry: Part & { host: string }; docker: Docker; kubernetes: Kubernetes };

/** A bed beside a cluster that somebody named. */
export type BesideCluster = Common & { registry: { host: string }; docker: DockerHost; kubernetes: Cluster };

const exampleContext = fileURLToPath(new URL('../examples/web', import.meta.url));

/** The base image of the example: nothing can be pulled here, so it is made of the machine's own static busybox. */
async function images(
  base: BedBase,
  docker: DockerHost,
  registry: string,
): Promise<Pick<Common, 'busybox' | 'pushWeb'>> {
  const context = join(base.dir, 'busybox');
  await mkdir(context);
  await copyFile('/bin/busybox', join(context, 'busybox'));
  const dockerfile = 'FROM scratch\nCOPY busybox /bin/busybox\nENTRYPOINT ["/bin/busybox"]\n';
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  const busybox = `${registry}/busybox:1`;
  await docker.buildAndPush(context, busybox);
  const pushWeb = async (tag: string, name = 'web') => {
    const image = `${registry}/${name}:${tag}`;
    await docker.buildAndPush(exampleContext, image, { BASE: busybox, VERSION: tag });
    return image;
  };
  return { busybox, pushWeb };
}

async function startRuntime(base: BedBase, registryHost: string): Promise<{ launch: Launch; socket: string }> {
  const launch = await startMountNamespace(base);
  const { socket } = await startContainerd(base, launch, registryHost);
  return { launch, socket };
}

/** Takes the whole bed down when part of it can't be had. */
async function inBase<T>(log: (line: string) => void, fill: (base: BedBase) => Promise<T>): Promise<T> {
  const base = await createBase(log);
  try {
    return await fill(base);
  } catch (problem) {
    await base.stop();
    throw problem;
  }
}

/** Starts all parts side by side, in some four seconds, for this process: they end with it. */
export function startTestbed(options: { log: (line: string) => void; registryPort?: number }): Promise<Testbed> {
  requireRoot();
  return inBase(options.log, async (base) => {
    const registry = await startRegistry(base, options.registryPort);
    const runtime = startRuntime(base, registry.host);
    const [redis, docker, kubernetes] = await Promise.all([
      startRedis(base),
      runtime.then(({ launch, socket }) => startDocker(base, launch, socket)),
      startKubernetes(base, runtime),
    ]);
    const { id, dir, launch, port, stop } = base;
    return {
      id,
      dir,
      launch,
      port: () => port(),
      stop,
      redis,
      registry,
      docker,
      kubernetes,
      ...(await images(base, docker, registry.host)),
    };
  });
}

/**
 * The same beside a cluster that somebody named (`--context NAME`); it starts no Kubernetes. The cluster must be able
 * to pull from `registry` by that very name; without one the bed's own is used, which suits a cluster on this machine's
 * loopback. Without `dockerHost` the bed starts a dockerd, which takes root on Linux.
 */
export function startBesideCluster(options: {
  log: (line: string) => void;
  context: string;
  registry?: string;
  registryPort?: number;
  dockerHost?: string;
}): Promise<BesideCluster> {
  if (options.dockerHost === undefined) requireRoot();
  return inBase(options.log, async (base) => {
    const kubernetes = await clusterOfContext(base, options.context);
    const registry = options.registry ? { host: options.registry } : await startRegistry(base, options.registryPort);
    const startOwnDocker = async () => {
      const { launch, socket } = await startRuntime(base, registry.host);
      return startDocker(base, launch, socket);
    };
    const docker = options.dockerHost ? dockerAt(base, options.dockerHost) : startOwnDocker();
    const [redis, daemon] = await Promise.all([startRedis(base), docker]);
    const { id, dir, launch, port, stop } = base;
    const made = await images(base, daemon, registry.host);
    return { id, dir, launch, port: () => port(), stop, redis, registry, docker: daemon, kubernetes, ...made };
  });
}
