import { z } from 'zod';
import { fault } from './errors.ts';

/** The parts of an image reference; see https://github.com/distribution/reference. */
export type ImageReference = { registry?: string; repository: string; tag?: string; digest?: string };

const grammar =
  /^(?:(?<registry>localhost(?::\d+)?|[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*(?:\.[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)+(?::\d+)?|[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*:\d+)\/)?(?<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[a-f0-9]{64}))?$/;

/** With the `library/` that Docker Hub puts before it, a name has at most 255 letters. */
const longestName = 247;

/** The parts of a reference; undefined where it is none, or where the container runtime or cosign would read it otherwise. */
function partsOf(text: string): Partial<Record<string, string>> | undefined {
  const groups = text.length <= 512 ? grammar.exec(text)?.groups : undefined;
  const { registry, repository = '' } = groups ?? {};
  // Before a slash a dot makes a registry of a name, if not one that there can be.
  const [first = '', ...rest] = repository.split('/');
  const isHost = registry === undefined && rest.length > 0 && first.includes('.');
  const isId = registry === undefined && /^[a-f0-9]{64}$/.test(repository);
  return repository === '' || isHost || isId || repository.length > longestName ? undefined : groups;
}

/** @throws Fault IMAGE_MALFORMED */
export function parseImage(text: string): ImageReference {
  const groups = partsOf(text);
  if (!groups?.repository) throw fault('IMAGE_MALFORMED', { image: text.slice(0, 100) });
  return {
    repository: groups.repository,
    ...(groups.registry ? { registry: groups.registry } : {}),
    ...(groups.tag ? { tag: groups.tag } : {}),
    ...(groups.digest ? { digest: groups.digest } : {}),
  };
}

/** Where images of one kind lie: `registry.example.com/team/web`. */
export const Repository = z.string().refine((text) => {
  const groups = partsOf(text);
  return groups?.repository !== undefined && groups.tag === undefined && groups.digest === undefined;
}, 'must be an image without a tag, such as registry.example.com/team/web');

/** `host/repository`, without tag and digest. */
export function repositoryOf(image: ImageReference): string {
  return image.registry ? `${image.registry}/${image.repository}` : image.repository;
}

/** The image as people say it: its last path segment with its tag, or a short digest. */
export function shortImage(text: string): string {
  const { repository, tag, digest } = parseImage(text);
  const name = repository.split('/').at(-1) ?? repository;
  if (tag) return `${name}:${tag}`;
  return digest ? `${name}@${digest.slice(0, 'sha256:'.length + 12)}` : name;
}

/**
 * The full reference of what was asked for, in the app's own repository `home`: `v2`, `:v2`, `web:v2` and
 * `registry:5000/team/web:v2` all mean the same for the home `registry:5000/team/web`.
 * @throws Fault IMAGE_MALFORMED; IMAGE_NOT_OF_APP for another repository
 */
export function imageOfApp(app: string, home: string, asked: { image?: string; tag?: string }): string {
  const suffix = (image: ImageReference) =>
    image.digest ? `${image.tag ? `:${image.tag}` : ''}@${image.digest}` : `:${image.tag ?? 'latest'}`;
  if (asked.tag !== undefined) parseImage(`${home}:${asked.tag}`);
  if (asked.image === undefined) return `${home}:${asked.tag ?? 'latest'}`;
  const image = parseImage(asked.image);
  const homeParts = parseImage(home);
  const sameName =
    image.repository === homeParts.repository || image.repository === homeParts.repository.split('/').at(-1);
  const same = image.registry ? repositoryOf(image) === home : sameName;
  if (same) return home + suffix(image);
  throw fault('IMAGE_NOT_OF_APP', { app, repository: home, image: asked.image });
}
