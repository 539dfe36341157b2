import { createHash } from 'node:crypto';
import type { DockerAnswer, DockerHost, DockerRequest } from '../../src/core/docker-host.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../src/core/json.ts';

type Kept = {
  containers: Map<string, JsonObject>;
  networks: Map<string, JsonObject>;
  volumes: Map<string, JsonObject>;
  images: Map<string, JsonObject>;
};

/** What every registry has under a name. */
const digestOf = (image: string) => `sha256:${createHash('sha256').update(image).digest('hex')}`;

const started = '2026-11-01T10:00:00Z';

/** A container as Docker tells of it in whole. */
const container = (name: string, running: boolean, body: JsonObject = {}): JsonObject => ({
  Id: `id-${name}`,
  Name: `/${name}`,
  Image: 'sha256:aaa',
  State: { Status: running ? 'running' : 'exited', Running: running, ExitCode: 0, StartedAt: started },
  RestartCount: 0,
  Config: { Image: 'web:v1', Env: ['A=1'], ...body },
  HostConfig: isObject(body.HostConfig) ? body.HostConfig : {},
  Mounts: [],
});

const summary = (each: JsonObject): JsonObject => ({
  Id: text(each.Id),
  Names: [text(each.Name)],
  Image: text(at(each, 'Config', 'Image')),
  ImageID: text(each.Image),
  State: text(at(each, 'State', 'Status')),
  Status: 'Up 2 hours',
  Created: 1_700_000_000,
  Mounts: each.Mounts ?? [],
  SizeRw: 10,
});

function stocked(): Kept {
  const volume = (Name: string) => ({ Name, Driver: 'local', CreatedAt: started, UsageData: { Size: 5, RefCount: 0 } });
  const network = (Name: string) => ({
    Id: `id-${Name}`,
    Name,
    Driver: 'bridge',
    Created: started,
    Containers: {},
    Internal: false,
  });
  const image = (tag: string, Id: string) => ({
    Id,
    RepoTags: [tag],
    Size: 1_000,
    SharedSize: 0,
    Containers: 0,
    Created: 1_700_000_000,
  });
  return {
    containers: new Map(
      [container('web', true), container('job', false)].map((each) => [text(each.Name).slice(1), each]),
    ),
    networks: new Map(['old'].map((name) => [name, network(name)])),
    volumes: new Map(['spare'].map((name) => [name, volume(name)])),
    images: new Map([
      ['web:v1', image('web:v1', 'sha256:aaa')],
      ['old:v1', image('old:v1', 'sha256:bbb')],
    ]),
  };
}

function byId(objects: Map<string, JsonObject>, key: string): [string, JsonObject] | undefined {
  return [...objects].find(([name, object]) => name === key || object.Id === key);
}

/** A Docker host in memory, with `web` running and `job` not: for tests of the engine, not of the client. */
export function fakeDockerHost(executed: string[]): { host: DockerHost; objects: () => [string, Json][] } {
  const kept = stocked();
  let clock = 0;
  const listed = (kind: keyof Kept): Json =>
    [...kept[kind].values()].map(kind === 'containers' ? summary : (each) => each);
  const read: DockerHost['read'] = async ([first = '', second = '', third = '']) => {
    if (first === 'info')
      return { ServerVersion: '20.10', Containers: 2, ContainersRunning: 1, Images: 2, NCPU: 2, MemTotal: 1_024 };
    if (second === 'system')
      return { Containers: listed('containers'), Images: listed('images'), Volumes: listed('volumes'), BuildCache: [] };
    const kind =
      first === 'containers' || first === 'networks' || first === 'volumes' || first === 'images' ? first : undefined;
    if (third === 'stats') return { cpu_stats: {}, precpu_stats: {}, memory_stats: { usage: 10, limit: 100 } };
    if (!kind) return undefined;
    if (kind === 'volumes' && second === '') return { Volumes: listed('volumes') };
    if (second === '' || (second === 'json' && third === '')) return listed(kind);
    return byId(kept[kind], second)?.[1];
  };
  const answer = (status: number, body: Json = {}): DockerAnswer => ({ status, body, message: `HTTP ${status}` });
  const create = ([first = '']: readonly string[], { query, body }: DockerRequest): DockerAnswer => {
    const wanted = isObject(body) ? body : {};
    const name = query?.name ?? text(wanted.Name);
    const image = byId(kept.images, text(wanted.Image))?.[1];
    if (first === 'containers')
      kept.containers.set(name, { ...container(name, false, wanted), Image: text(image?.Id) });
    else if (first === 'networks') kept.networks.set(name, { ...wanted, Id: `id-${name}`, Containers: {} });
    else if (first === 'volumes') kept.volumes.set(name, wanted);
    return answer(201, { Id: `id-${name}` });
  };
  const act = (id: string, action: string): DockerAnswer => {
    const [name, found] = byId(kept.containers, id) ?? [];
    if (name === undefined || !found) return answer(404);
    clock += 1;
    const running = action !== 'stop';
    const StartedAt = running ? `${started} + ${clock}` : started;
    kept.containers.set(name, {
      ...found,
      State: { Status: running ? 'running' : 'exited', Running: running, StartedAt, Health: { Status: 'healthy' } },
    });
    return answer(204);
  };
  const send: DockerHost['send'] = async (request) => {
    const [first = '', second = '', third = ''] = request.path;
    if (first === 'images' && third === 'tag') {
      const [, found] = byId(kept.images, second) ?? [];
      const tag = `${request.query?.repo}:${request.query?.tag}`;
      if (found) kept.images.set(tag, { ...found, RepoTags: [tag] });
      return answer(found ? 201 : 404);
    }
    if (request.method === 'DELETE') {
      const kind =
        first === 'containers' || first === 'networks' || first === 'volumes' || first === 'images' ? first : 'images';
      const [name = ''] = byId(kept[kind], second) ?? [];
      return answer(kept[kind].delete(name) ? 204 : 404);
    }
    return ['start', 'stop', 'restart'].includes(third) ? act(second, third) : create(request.path, request);
  };
  const host: DockerHost = {
    read,
    send,
    digest: async (image) => digestOf(image),
    pull: async (image) =>
      void kept.images.set(image, { Id: `sha256:${image}`, RepoTags: [image], Size: 1, Created: 1, Containers: 0 }),
    logs: async () => 'listening\n',
    exec: async (_id, { command }) => {
      executed.push(command.join(' '));
      return {
        output: '127.0.0.1 localhost\n',
        cut: false,
        timedOut: false,
        bytes: 20,
        sha256: 'c'.repeat(64),
        exitCode: 0,
      };
    },
  };
  // What a test compares; when a container began is no part of it.
  const objects = (): [string, Json][] =>
    Object.entries(kept).flatMap(([kind, all]: [string, Map<string, JsonObject>]) =>
      [...all].map(([name, object]): [string, Json] => [
        `${kind}/${name}`,
        { ...object, State: text(at(object, 'State', 'Status')) },
      ]),
    );
  return { host, objects };
}
