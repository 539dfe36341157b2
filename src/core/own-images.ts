import { appEntry, appsOfRepository } from './apps.ts';
import { fault } from './errors.ts';
import { parseImage, repositoryOf } from './image.ts';
import type { Settings } from './settings.ts';

const isWithin = (repository: string, prefix: string): boolean => {
  const whole = prefix.replace(/(?<!\/)\/+$/, '');
  return repository === whole || repository.startsWith(`${whole}/`);
};

/** @throws Fault NOT_PUSHABLE where images may not be put into that repository */
export function checkPushable({ apps, builds }: Pick<Settings, 'apps' | 'builds'>, repository: string): void {
  const own = Object.values(apps).flatMap(({ image }) => image ?? []);
  if (
    appsOfRepository({ apps }, repository).length > 0 ||
    builds.repositories.some((prefix) => isWithin(repository, prefix))
  )
    return;
  throw fault('NOT_PUSHABLE', { repository, allowed: [...own, ...builds.repositories].join(', ') || 'none' });
}

/**
 * The whole name of an image as people say it, with a tag: `myapp:v1` is the app's, or else it is in the first of
 * builds.repositories. Never is it Docker Hub's by accident.
 * @throws Fault IMAGE_MALFORMED, BAD_INPUT where it has no tag, NOT_PUSHABLE
 */
export function wholeName(settings: Pick<Settings, 'apps' | 'builds'>, said: string): string {
  const image = parseImage(said);
  const { tag = 'latest', digest, repository, registry } = image;
  if (digest !== undefined) throw fault('BAD_INPUT', { problem: `“${said}” is a digest: name a tag to push to.` });
  const app = repository.includes('/') ? undefined : appEntry(settings, repository)?.its;
  const first = settings.builds.repositories[0]?.replace(/(?<!\/)\/+$/, '');
  const home = registry
    ? repositoryOf(image)
    : (app?.image ?? (first === undefined ? repository : `${first}/${repository}`));
  checkPushable(settings, home);
  return `${home}:${tag}`;
}
