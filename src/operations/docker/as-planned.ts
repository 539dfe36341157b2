import type { DockerCall, DockerKind } from '../../core/docker-host.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import { type JsonObject, text } from '../../core/json.ts';
import { find } from './find.ts';
import type { OnHost } from './host.ts';

/** Names on a Docker host mean something else from one moment to the next: what a plan means by one, and whether it still does. */

/** What an object is known by, whatever its name. A volume has no id; when it was made tells it from a later one. */
export const identityOf = (kind: DockerKind, object: JsonObject | undefined): string =>
  text(kind === 'volume' ? object?.CreatedAt : object?.Id);

/** An image by its digest alone: `host/name@sha256:…`. */
export const byDigest = (image: string, digest: string): string => `${repositoryOf(parseImage(image))}@${digest}`;

/** A pull of what an image's registry has under its name now. */
export async function planPull({ client }: OnHost, image: string, signal: AbortSignal) {
  const digest = parseImage(image).digest ?? (await client.digest(image, signal));
  return { kind: 'pull' as const, image, digest };
}

/** Pulls what the plan saw in the registry, and gives it the name that it was asked for by. */
export async function pullPlanned(
  { client, name: host }: OnHost,
  { image, digest }: DockerCall & { kind: 'pull' },
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { tag, digest: said } = parseImage(image);
  if (digest === undefined || said !== undefined || tag === undefined) return await client.pull(image, note, signal);
  const pinned = byDigest(image, digest);
  await client.pull(pinned, note, signal);
  const query = { repo: repositoryOf(parseImage(image)), tag };
  const { status, message } = await client.send(
    { method: 'POST', path: ['images', pinned, 'tag'], query },
    { conflict: false },
    signal,
  );
  if (status === 404) throw fault('DOCKER_HOST_REFUSED', { host, problem: message });
}

/** @throws Fault ANOTHER_BY_NOW where the name is another object's; one that is gone is none */
export async function checkSame(
  host: OnHost,
  { object: kind, name, id, was }: { object: DockerKind; name: string; id: string; was?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (was === undefined) return;
  const live = await find(host, kind, id, signal);
  if (live && identityOf(kind, live) !== was) throw fault('ANOTHER_BY_NOW', { kind, name });
}

/** The id of an image that a plan names by it, or by its digest. */
export const imageId = async (host: OnHost, image: string, signal: AbortSignal): Promise<string> =>
  image.startsWith('sha256:') ? image : identityOf('image', await find(host, 'image', image, signal));

/**
 * The id of the image that a container is to be made of, once its name means just that.
 * @throws Fault ANOTHER_BY_NOW
 */
export async function plannedImage(
  host: OnHost,
  { image, name }: { image: string; name: string },
  signal: AbortSignal,
): Promise<string> {
  const [id, called] = await Promise.all([imageId(host, image, signal), find(host, 'image', name, signal)]);
  if (id === '' || identityOf('image', called) !== id) throw fault('ANOTHER_BY_NOW', { kind: 'image', name });
  return id;
}
