import type { DockerKind } from '../../core/docker-host.ts';
import { fault } from '../../core/errors.ts';
import { isObject, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import type { OnHost } from './host.ts';
import { list, nameOf, words } from './reading.ts';

/** Everything of a kind on a host. */
export async function all({ client }: OnHost, kind: DockerKind, signal: AbortSignal): Promise<JsonObject[]> {
  switch (kind) {
    case 'container':
      return list(await client.read(['containers', 'json'], { all: '1' }, signal));
    case 'image':
      return list(await client.read(['images', 'json'], {}, signal));
    case 'network':
      return list(await client.read(['networks'], {}, signal));
    case 'volume': {
      const found = await client.read(['volumes'], {}, signal);
      return isObject(found) ? list(found.Volumes) : [];
    }
    default:
      return kind satisfies never;
  }
}

const namesOf = (kind: DockerKind, object: JsonObject): string[] => {
  if (kind === 'image') return words(object.RepoTags);
  return [kind === 'container' ? nameOf(object) : text(object.Name)];
};

const plural: Record<DockerKind, string> = {
  container: 'containers',
  network: 'networks',
  volume: 'volumes',
  image: 'images',
};

/** The whole of an object. By its name alone: parts of ids, which Docker takes for names too, are not names. */
export async function find(
  host: OnHost,
  kind: DockerKind,
  name: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const path =
    kind === 'image' ? ['images', name, 'json'] : [plural[kind], ...(kind === 'container' ? [name, 'json'] : [name])];
  const found = await host.client.read(path, {}, signal);
  if (!isObject(found)) return undefined;
  const whole = [text(found.Id), text(found.Id).replace(/^sha256:/, '')];
  const named = kind === 'image' || namesOf(kind, found).includes(name) || whole.includes(name);
  return named ? found : undefined;
}

/** @throws Fault NO_SUCH_OBJECT with the nearest name */
export async function findOrSay(
  host: OnHost,
  kind: DockerKind,
  name: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const found = await find(host, kind, name, signal);
  if (found) return found;
  const known = (await all(host, kind, signal)).flatMap((object) => namesOf(kind, object));
  throw fault('NO_SUCH_OBJECT', { kind, name, where: host.name, near: didYouMean(name, known) });
}
