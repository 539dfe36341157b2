import { type Actor, personOf } from '../../../src/core/actor.ts';
import { holders } from '../../../src/core/policy.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { harmless, joined, type Mrkdwn, mention, mrkdwn } from './elements.ts';

/** An actor as Slack shows them: a mention for those who are here, a name for the others. */
export function nameOf(actor: Actor, settings: Settings): Mrkdwn {
  if (actor.kind === 'slack') return mention(actor.user);
  if (actor.kind === 'webhook') return harmless(actor.source);
  const person = personOf(settings, actor);
  const user = person && settings.people[person]?.slack;
  return user ? mention(user) : harmless(actor.subject);
}

const fewEnough = 5;

/** Those who hold one of the roles, mentioned; many are not listed. The requester is left out: they can't approve. */
export function whoCould(settings: Settings, roles: readonly string[], requester: Actor): Mrkdwn {
  if (roles.includes('everyone')) return mrkdwn`another member`;
  const self = personOf(settings, requester);
  const named = harmless(roles.join(' or '));
  const people = holders(settings, roles).filter((person) => person !== self);
  if (people.length === 0) return mrkdwn`somebody with the role ${named} (nobody holds it yet)`;
  if (people.length > fewEnough) return mrkdwn`somebody with the role ${named}`;
  const called = people.map((person) => {
    const user = settings.people[person]?.slack;
    return user ? mention(user) : harmless(person);
  });
  return joined(called, ' or ');
}
