import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createDocker, type DockerOptions } from '../../src/clients/docker/docker.ts';
import { createGit } from '../../src/clients/git/git.ts';
import { createRegistry } from '../../src/clients/registry/registry.ts';
import type { BuildOrder, BuildProgress, ContextSource, Docker } from '../../src/core/build.ts';
import { BuildSettings } from '../../src/core/image-settings.ts';

/** A folder with these files, gone after the test. */
export async function contextOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-context-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** A client of a daemon; nothing in `RUN` has a network, since the bed has none for it. */
export function dockerAt(
  options: Partial<Omit<DockerOptions, 'settings'>>,
  builds: Partial<BuildSettings> = {},
): Docker {
  const settings = { ...BuildSettings.parse({ network: 'none' }), ...builds };
  return createDocker({
    git: createGit(),
    registry: createRegistry(),
    secret: () => 'a-secret-value',
    ...options,
    settings: () => settings,
  });
}

/** Looks at a context and builds it. */
export async function buildFrom(
  docker: Docker,
  source: ContextSource,
  order: Partial<BuildOrder> & { image: string },
  seen: (progress: BuildProgress) => void,
  signal: AbortSignal,
): Promise<BuildOrder> {
  const { dockerfile = 'Dockerfile' } = order;
  const context = await docker.look(source, dockerfile, signal);
  const whole: BuildOrder = {
    source,
    context,
    dockerfile,
    args: {},
    platforms: [],
    secrets: [],
    cache: false,
    fresh: false,
    key: 'shipmate-test',
    labels: {},
    secretRefs: {},
    ...order,
  };
  await docker.build(whole, seen, signal);
  return whole;
}
