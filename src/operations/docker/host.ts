import { z } from 'zod';
import { holdsRole } from '../../core/actor.ts';
import type { DockerHost } from '../../core/docker-host.ts';
import { fault } from '../../core/errors.ts';
import type { DockerHostSettings } from '../../core/host-settings.ts';
import { Label } from '../../core/name-pattern.ts';
import type { PlanContext } from '../../core/operation.ts';

/** Which host is meant; it may be left out where `shipmate.yaml` has but one. */
export const HostRef = Label.describe('A Docker host of shipmate.yaml; where there is but one, that').meta({
  examples: ['build'],
});

/** What Docker takes for a name of its own objects. */
export const DockerName = z
  .string()
  .max(128, 'is longer than 128 characters')
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'must be letters, digits, “_”, “.” and “-”, and begin with a letter or digit')
  .meta({ examples: ['web'] });

export type OnHost = { name: string; client: DockerHost; settings: DockerHostSettings };

/**
 * The host that is meant, if the asker may ask for anything there at all. Asked again by each step's lap, so that a right that was
 * taken back counts at once.
 * @throws Fault UNKNOWN_DOCKER_HOST, DOCKER_HOST_NOT_YOURS; BAD_INPUT where several are known and none is named
 */
export function hostOf(
  { on, settings, actor }: Pick<PlanContext<'dockerHost'>, 'on' | 'settings' | 'actor'>,
  asked: string | undefined,
): OnHost {
  const known = Object.keys(settings.dockerHosts);
  const [only, ...others] = known;
  if (asked === undefined && others.length > 0)
    throw fault('BAD_INPUT', { problem: `Which Docker host? Say “on NAME”; there are ${known.join(', ')}.` });
  const name = asked ?? only ?? '';
  const client = on.dockerHost(name);
  const found = Object.hasOwn(settings.dockerHosts, name) ? settings.dockerHosts[name] : undefined;
  if (!found) throw fault('UNKNOWN_DOCKER_HOST', { name, near: '', known: known.join(', ') || 'none' });
  if (!holdsRole(settings, actor, found.who))
    throw fault('DOCKER_HOST_NOT_YOURS', { host: name, who: found.who.join(', ') });
  return { name, client, settings: found };
}
