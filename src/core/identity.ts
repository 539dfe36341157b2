import { type Actor, actorId, personOf } from './actor.ts';
import { environmentEntry } from './apps.ts';
import { fault } from './errors.ts';
import type { Settings } from './settings.ts';

/** Whom a cluster takes a call for, where it is not Shipmate itself. */
export type Identity = { user: string; groups: readonly string[] };

/** Who the actor is in a cluster, by the list of people alone. @throws Fault NOT_MAPPED */
export function identityOf(settings: Settings, actor: Actor): Identity {
  const person = personOf(settings, actor);
  const mapped = person === undefined ? undefined : settings.people[person]?.kubernetes;
  if (!mapped) throw fault('NOT_MAPPED', { who: person ?? actorId(actor) });
  return mapped;
}

/** Whether calls to a cluster are made in the asker's name: in this environment, or, without one, in any that is there. */
export function isPersonal(settings: Settings, cluster: string, env: string | undefined): boolean {
  if (env !== undefined) return environmentEntry(settings, env)?.its.impersonate === true;
  return Object.values(settings.environments).some((each) => each.cluster === cluster && each.impersonate);
}
