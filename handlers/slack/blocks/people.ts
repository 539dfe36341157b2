import { type Actor, personOf } from '../../../src/core/actor.ts';
import { holders } from '../../../src/core/policy.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { harmless } from './elements.ts';

/** An actor as Slack shows them: a mention for those who are here, a name for the others. */
export function nameOf(actor: Actor, settings: Settings): string {
  if (actor.kind === 'slack') return `<@${actor.user}>`;
  if (actor.kind === 'webhook') return harmless(actor.source);
  const person = personOf(settings, actor);
  const user = person && settings.people[person]?.slack;
  return user ? `<@${user}>` : harmless(actor.subject);
}

const fewEnough = 5;

/** Those who hold one of the roles, mentioned; many are not listed. The requester is left out: they can't approve. */
export function whoCould(settings: Settings, roles: readonly string[], requester: Actor): string {
  if (roles.includes('everyone')) return 'another member';
  const self = personOf(settings, requester);
  const people = holders(settings, roles).filter((person) => person !== self);
  if (people.length === 0) return `somebody with the role ${roles.map(harmless).join(' or ')} (nobody holds it yet)`;
  if (people.length > fewEnough) return `somebody with the role ${roles.map(harmless).join(' or ')}`;
  const mention = (person: string) => {
    const user = settings.people[person]?.slack;
    return user ? `<@${user}>` : harmless(person);
  };
  return people.map(mention).join(' or ');
}
