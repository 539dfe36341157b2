import { z } from 'zod';
import { Fault, fault } from './errors.ts';
import { linearPattern } from './linear-pattern.ts';
import { withBlank, withoutStray } from './name-pattern.ts';
import { oneLine } from './one-line.ts';

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

const malformed = (text: string): Fault => fault('IMAGE_MALFORMED', { image: oneLine(text.slice(0, 100)) });

/** @throws Fault IMAGE_MALFORMED */
export function parseImage(text: string): ImageReference {
  const groups = partsOf(text);
  if (!groups?.repository) throw malformed(text);
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

/** A repository of a pattern's apps: `{app}` is the name of each. Who has the registry is nobody's to choose by a name. */
export const RepositoryWithBlank = withBlank(Repository, '{app}').refine(
  (text) => !text.split('/')[0]?.includes('{app}'),
  'must not have {app} before its first “/”: no name chooses the registry',
);

/** Repositories: `*` is any letters but “/”, `**` is those too. A registry must be named: `docker.io/library/*`. */
export const RepositoryPattern = withoutStray('{app}')
  .max(255)
  .refine(
    (text) => Repository.safeParse(text.replaceAll('{app}', 'x').replace(/\*+/g, 'x')).success && hasHost(text),
    'must be a registry and a repository, such as registry.example.com/team/*',
  );

/** Whether a registry stands before the first slash, and no pattern. */
function hasHost(text: string): boolean {
  const [host = '', ...rest] = text.split('/');
  return rest.length > 0 && !/[*{]/.test(host) && (host === 'localhost' || /[.:]/.test(host));
}

/** Whether a repository is one of those that a pattern is for. */
function fitsRepository(pattern: string, repository: string): boolean {
  const parts = pattern.split(/(\*+)/);
  const source = parts.map((part) => (part === '*' ? '[^/]+' : part.startsWith('*') ? '.+' : plain(part)));
  return linearPattern(source.join('')).fits(repository);
}

const plain = (text: string): string => text.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');

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

/** What an app runs: its own repository, and others that its images may come from. */
export type Homes = { image?: string | undefined; images?: readonly string[] | undefined };

/** `host/repository` as the container runtime has it: what has no registry is Docker Hub's. */
export function wholeRepository(image: ImageReference): string {
  if (image.registry !== undefined) return repositoryOf(image);
  return `docker.io/${image.repository.includes('/') ? '' : 'library/'}${image.repository}`;
}

/** The whole repository of an image as it runs somewhere; undefined where that is no image reference. */
export function repositoryIn(image: string): string | undefined {
  try {
    return wholeRepository(parseImage(image));
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

/** A name alone, such as `v1`: it may be meant as a tag, and would be an image of Docker Hub. */
const isTagless = ({ registry, tag, digest }: ImageReference): boolean =>
  registry === undefined && tag === undefined && digest === undefined;

/**
 * The full reference of what was asked for, in the app's own repository, or in another that its images may come from: `v2`, `:v2`,
 * `web:v2` and `registry:5000/team/web:v2` all mean the same for the home `registry:5000/team/web`.
 * @throws Fault IMAGE_MALFORMED; IMAGE_NOT_OF_APP for another repository; IMAGE_WITHOUT_TAG
 */
export function imageOfApp(app: string, homes: Homes, asked: { image?: string; tag?: string }): string {
  const suffix = (image: ImageReference) =>
    image.digest ? `${image.tag ? `:${image.tag}` : ''}@${image.digest}` : `:${image.tag ?? 'latest'}`;
  const { image: home, images = [] } = homes;
  const others = [...(home === undefined ? [] : [home]), ...images].join(', ');
  if (asked.image === undefined) {
    if (home === undefined) throw fault('NO_OWN_IMAGE', { app, images: others, tag: asked.tag ?? 'latest' });
    const made = `${home}:${asked.tag ?? 'latest'}`;
    // By the tag “5000/evil:v1” the home “web” would be a registry.
    if (repositoryOf(parseImage(made)) !== home) throw malformed(made);
    return made;
  }
  const image = parseImage(asked.image);
  const homeParts = home === undefined ? undefined : parseImage(home);
  const sameName =
    image.repository === homeParts?.repository || image.repository === homeParts?.repository.split('/').at(-1);
  if (home !== undefined && (image.registry ? repositoryOf(image) === home : sameName)) return home + suffix(image);
  // Docker Hub's count only where the app names them.
  const other = wholeRepository(image);
  if (!images.some((pattern) => fitsRepository(pattern, other)))
    throw fault('IMAGE_NOT_OF_APP', { app, repository: others, image: asked.image });
  if (isTagless(image)) throw fault('IMAGE_WITHOUT_TAG', { app, image: asked.image, repository: other });
  return other + suffix(image);
}

/**
 * Whether a deploy of the app with this image, written as it runs, would bring that very one: what is written short runs from
 * Docker Hub, and asked for it may be meant for the app's own repository.
 */
export function isImageOfApp(homes: Homes, running: string): boolean {
  try {
    const asked = imageOfApp('', homes, { image: running });
    return wholeRepository(parseImage(asked)) === wholeRepository(parseImage(running));
  } catch (thrown) {
    if (thrown instanceof Fault) return false;
    throw thrown;
  }
}
