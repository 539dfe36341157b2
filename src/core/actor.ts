import { z } from 'zod';
import type { Settings } from './settings.ts';

/** Who asks or decides. The id is bound to its issuer: a Slack team, or the token's issuer. */
export const Actor = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('slack'), team: z.string(), user: z.string() }),
  z.object({
    kind: z.literal('token'),
    subject: z.string(),
    /** The token's claims that roles of `shipmate.yaml` speak of, each as `name=value`. */
    claims: z.array(z.string()).optional(),
  }),
  z.object({ kind: z.literal('webhook'), source: z.string() }),
]);
export type Actor = z.output<typeof Actor>;

/** The person of `shipmate.yaml` behind an actor, if one is listed. */
export function personOf(settings: Settings, actor: Actor): string | undefined {
  const entry = Object.entries(settings.people).find(([, person]) => {
    switch (actor.kind) {
      case 'slack':
        return person.slack === actor.user;
      case 'token':
        return person.subject === actor.subject;
      case 'webhook':
        return false;
      default:
        return actor satisfies never;
    }
  });
  return entry?.[0];
}

/** The actor as one string, unique over all surfaces: `slack:T1/U1`, `token:ana@example.com`. */
export function actorId(actor: Actor): string {
  switch (actor.kind) {
    case 'slack':
      return `slack:${actor.team}/${actor.user}`;
    case 'token':
      return `token:${actor.subject}`;
    case 'webhook':
      return `webhook:${actor.source}`;
    default:
      return actor satisfies never;
  }
}

/** Whether two actors are one human: the same identity, or two identities of one person in `shipmate.yaml`. */
export function samePerson(settings: Settings, a: Actor, b: Actor): boolean {
  if (actorId(a) === actorId(b)) return true;
  const person = personOf(settings, a);
  return person !== undefined && person === personOf(settings, b);
}

/**
 * Whether two actors are surely two people; not where nobody can tell. One surface tells its own people apart. Over two of
 * them only `people` of `shipmate.yaml` does: Ana's token looks like anybody else's until it is listed as hers. A webhook is
 * no person, and so nobody's second identity. What asks for somebody else asks this, never `!samePerson`.
 */
export function differentPeople(settings: Settings, a: Actor, b: Actor): boolean {
  if (a.kind === 'webhook' || b.kind === 'webhook') return actorId(a) !== actorId(b);
  const [one, other] = [personOf(settings, a), personOf(settings, b)];
  if (one !== undefined && other !== undefined) return one !== other;
  if (a.kind === 'token' && b.kind === 'token') return a.subject !== b.subject;
  // Somebody may have accounts in two workspaces.
  return a.kind === 'slack' && b.kind === 'slack' && a.team === b.team && a.user !== b.user;
}

/** The actor with those claims only that a role speaks of: the rest of a token is nobody's business here, and kept nowhere. */
export function withClaimsOfRoles(settings: Settings, actor: Actor): Actor {
  if (actor.kind !== 'token' || !actor.claims) return actor;
  const { claims, ...bare } = actor;
  const members = new Set(Object.values(settings.roles).flat());
  const told = claims.filter((claim) => members.has(`claim:${claim}`));
  return told.length === 0 ? bare : { ...bare, claims: told };
}

/** Whether a member of a role, as `shipmate.yaml` writes it, is this Slack user: by id, or through a user group. */
function isSlackMember(settings: Settings, member: string, user: string): boolean {
  if (member === `slack:${user}`) return true;
  return member.startsWith('group:') && (settings.groups[member.slice('group:'.length)]?.includes(user) ?? false);
}

/** Whether a person of `shipmate.yaml` holds one of the roles, by name or under their Slack identity. */
export function personHolds(settings: Settings, person: string, roles: readonly string[]): boolean {
  if (roles.includes('everyone')) return true;
  const user = settings.people[person]?.slack;
  return roles.some((role) =>
    settings.roles[role]?.some(
      (member) => member === person || (user !== undefined && isSlackMember(settings, member, user)),
    ),
  );
}

/** Whether the actor holds one of the roles; `everyone` is held by all but webhooks, who hold only what names them: `webhook:harbor`. */
export function holdsRole(settings: Settings, actor: Actor, roles: readonly string[]): boolean {
  if (actor.kind === 'webhook') return roles.some((role) => settings.roles[role]?.includes(actorId(actor)));
  if (roles.includes('everyone')) return true;
  const person = personOf(settings, actor);
  if (person !== undefined && personHolds(settings, person, roles)) return true;
  return roles.some((role) =>
    settings.roles[role]?.some((member) =>
      actor.kind === 'slack'
        ? isSlackMember(settings, member, actor.user)
        : actor.claims?.includes(member.replace(/^claim:/, '')) && member.startsWith('claim:'),
    ),
  );
}
