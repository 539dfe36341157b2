import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../src/core/errors.ts';
import { at, isObject, type JsonObject } from '../../src/core/json.ts';
import { overlay } from '../../src/core/ownership.ts';
import type { Clients, Kube, RolloutEnd } from '../../src/core/ports.ts';

/** The clients that reach out of the process. */
export type FakeClients = Pick<Clients, 'kube' | 'registry' | 'docker'>;

export type FakeWorld = {
  clients: FakeClients;
  /** The objects of the cluster, `namespace/name`. */
  objects: Map<string, JsonObject>;
  /** Every apply that changed something, with the run that asked for it. */
  applied: { run: string; image: unknown; replicas: unknown }[];
  /** Tags of the registry. */
  digests: Map<string, string>;
  /** Pod templates that were applied, oldest first. */
  templates: JsonObject[];
  /** How the next rollouts end; complete where none is left. */
  ends: RolloutEnd[];
  /** How long a rollout takes. */
  rolloutMs: number;
};

const keyOf = (object: JsonObject) => `${at(object, 'metadata', 'namespace')}/${at(object, 'metadata', 'name')}`;
const imageOf = (object: JsonObject | undefined) => at(object, 'spec', 'template', 'spec', 'containers', 0, 'image');

/** A cluster, a registry and a Docker daemon in memory: for tests of the engine, not of the clients. */
export function fakeWorld(): FakeWorld {
  const world: Omit<FakeWorld, 'clients'> = {
    objects: new Map(),
    applied: [],
    templates: [],
    digests: new Map(),
    ends: [],
    rolloutMs: 0,
  };
  const laid = (manifest: JsonObject) => {
    const merged = overlay(world.objects.get(keyOf(manifest)), manifest);
    return isObject(merged) ? merged : manifest;
  };
  const kube: Kube = {
    read: async ({ namespace, name }) => world.objects.get(`${namespace}/${name}`),
    preview: async (manifest) => ({ after: laid(manifest), takesOver: [] }),
    apply: async (manifest, { run }) => {
      const before = world.objects.get(keyOf(manifest));
      const after = laid(manifest);
      if (JSON.stringify(before) !== JSON.stringify(after))
        world.applied.push({ run, image: imageOf(after), replicas: at(after, 'spec', 'replicas') });
      world.objects.set(keyOf(manifest), after);
      const template = at(after, 'spec', 'template');
      if (isObject(template) && JSON.stringify(template) !== JSON.stringify(world.templates.at(-1)))
        world.templates.push(template);
      return after;
    },
    follow: async (_ref, { seen }, signal) => {
      seen({ replicas: 1, updated: 0, ready: 0 });
      await sleep(world.rolloutMs, undefined, { signal });
      return world.ends.shift() ?? { kind: 'complete', replicas: 1, updated: 1, ready: 1 };
    },
    workload: async ({ namespace, name }) => {
      const object = world.objects.get(`${namespace}/${name}`);
      const image = imageOf(object);
      return object && { object, replicas: 1, updated: 1, ready: 1, ...(typeof image === 'string' && { image }) };
    },
    revisions: async () =>
      world.templates
        .slice(0, -1)
        .map((template, index) => ({ revision: index + 1, template }))
        .reverse(),
    ping: async () => {},
  };
  const clients: FakeClients = {
    kube: () => kube,
    registry: {
      resolve: async (reference) => {
        const [name = '', pinned] = reference.split('@');
        const digest = pinned ?? world.digests.get(name);
        if (digest) return digest;
        throw fault('IMAGE_NOT_FOUND', { registry: '127.0.0.1:5000', image: reference, near: '', app: 'web' });
      },
    },
    docker: { build: async () => {}, push: async () => ({ digest: `sha256:${'b'.repeat(64)}` }) },
  };
  return Object.assign(world, { clients });
}
