import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import type { Clients } from '../../core/ports.ts';

type On = { harbor: Clients['harbor'] };

export const Project = z
  .string()
  .max(255, 'is longer than 255 characters')
  .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, 'must be lower-case letters and digits, with “.”, “_” or “-” between')
  .describe('A project of Harbor')
  .meta({ examples: ['team'] });

/** A project and a repository in it, which may have slashes of its own. */
export const Repository = z
  .string()
  .max(512)
  .regex(
    /^[a-z0-9]+([._-][a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$/,
    'must be PROJECT/REPOSITORY, such as team/web',
  )
  .describe('A repository of Harbor')
  .meta({ examples: ['team/web'] });

export const Tag = z
  .string()
  .regex(/^\w[\w.-]{0,127}$/, 'must be letters, digits, “.”, “_” and “-”, at most 128')
  .describe('A tag')
  .meta({ examples: ['v2'] });

export const Reference = z
  .string()
  .regex(/^(sha256:[a-f0-9]{64}|\w[\w.-]{0,127})$/, 'must be a tag or a digest (sha256:…)')
  .describe('A tag or a digest')
  .meta({ examples: ['v1'] });

/** Project and repository are two parts of an address; the second keeps its slashes. */
export function partsOf(repository: string): { project: string; name: string } {
  const slash = repository.indexOf('/');
  return { project: repository.slice(0, slash), name: repository.slice(slash + 1) };
}

/** The address of a repository, and of one of its artifacts. */
export function repositoryPath(repository: string): string[] {
  const { project, name } = partsOf(repository);
  return ['projects', project, 'repositories', name];
}
export const artifactPath = (repository: string, reference: string): string[] => [
  ...repositoryPath(repository),
  'artifacts',
  reference,
];

/** @throws Fault NO_SUCH_OBJECT with the nearest name */
export async function projectCalled({ harbor }: On, name: string, signal: AbortSignal): Promise<JsonObject> {
  const found = await harbor.read(['projects', name], {}, signal);
  if (isObject(found)) return found;
  const known = (await harbor.list(['projects'], {}, 500, signal)).map((each) => text(each.name));
  throw fault('NO_SUCH_OBJECT', { kind: 'project', name, where: 'Harbor', near: didYouMean(name, known) });
}

/** The tags of an artifact. */
export const tagsOf = (artifact: JsonObject): string[] =>
  Array.isArray(artifact.tags) ? artifact.tags.map((tag) => text(at(tag, 'name'))).filter(Boolean) : [];

export async function readArtifact(
  { harbor }: On,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const found = await harbor.read(
    artifactPath(repository, reference),
    { with_scan_overview: 'true', with_tag: 'true' },
    signal,
  );
  return isObject(found) ? found : undefined;
}

/** @throws Fault NO_SUCH_OBJECT with the nearest tag */
export async function artifactCalled(
  on: On,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const found = await readArtifact(on, repository, reference, signal);
  if (found) return found;
  const path = [...repositoryPath(repository), 'artifacts'];
  const known = (await on.harbor.list(path, { with_tag: 'true' }, 100, signal)).flatMap(tagsOf);
  throw fault('NO_SUCH_OBJECT', {
    kind: 'artifact',
    name: `${repository}:${reference}`,
    where: 'Harbor',
    near: didYouMean(reference, known),
  });
}
