import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Actor } from '../../src/core/actor.ts';
import { Fault, fault } from '../../src/core/errors.ts';
import type { Clock, Membership } from '../../src/core/ports.ts';
import type { Claims } from './claims.ts';
import type { Installation, LookUpInstallation, OwnTeam } from './installation.ts';
import { SlackError } from './send.ts';

const keepMs = 5 * 60_000;
const mostKept = 10_000;
/** Slack wants an answer to a command within 3 s; so who asks must be known before. */
const patienceMs = 2_000;

const Member = z.object({ team: z.custom<OwnTeam>(), user: z.string() }).brand<'Member'>();
/** A full member of the workspace that Shipmate is installed in, as Slack has said. Nothing else may ask or decide. */
export type Member = z.output<typeof Member>;

export type Members = {
  /**
   * Lets the sender of a request pass where the request is for our installation and they are a full member of our workspace.
   * @throws Fault NOT_A_MEMBER for guests, bots, outsiders and former members; IDENTITY_UNKNOWN where Slack doesn't say
   */
  admit(claims: Claims): Promise<Member>;
  /** Looks again at somebody who passed before. @throws Fault as `admit` */
  again(was: { team: string; user: string }): Promise<Member>;
  /** What workers ask about everybody on whose word a run rests. */
  membership: Membership;
};

/** As users.info tells of people; of those of another organization it withholds most. */
const SlackUser = z.looseObject({
  id: z.string(),
  team_id: z.string().nullish(),
  deleted: z.boolean().nullish(),
  is_bot: z.boolean().nullish(),
  is_restricted: z.boolean().nullish(),
  is_ultra_restricted: z.boolean().nullish(),
  is_stranger: z.boolean().nullish(),
  enterprise_user: z
    .looseObject({ enterprise_id: z.string().nullish(), teams: z.array(z.string()).nullish() })
    .nullish(),
});
type SlackUser = z.output<typeof SlackUser>;

/** Slack's own answer that there is no such person for us; all other errors say nothing of them. */
const unknown = new Set(['user_not_found', 'user_not_visible']);

const outsider = 'from another workspace';

/** On Enterprise Grid `team_id` is one of a person's workspaces; the list of all is in `enterprise_user`. */
function workspacesOf({ team_id, enterprise_user }: SlackUser): string[] {
  return enterprise_user?.teams ?? (team_id ? [team_id] : []);
}

function belongs(user: SlackUser, { team, enterprise, orgWide }: Installation): boolean {
  const organization = user.enterprise_user?.enterprise_id ?? undefined;
  // Not there, or not the same: then the list of workspaces is another organization's.
  if ((orgWide || user.enterprise_user) && (organization === undefined || organization !== enterprise)) return false;
  return orgWide || workspacesOf(user).includes(team);
}

/** What somebody is instead of a full member. */
function strangeness(user: SlackUser, installation: Installation): string | undefined {
  if (user.deleted) return 'a former member';
  if (user.is_bot) return 'a bot';
  if (user.is_restricted || user.is_ultra_restricted) return 'a guest';
  // Of those who share a channel with us Slack says that they are no strangers.
  return user.is_stranger || !belongs(user, installation) ? outsider : undefined;
}

/** Whether somebody of a list of people is a full member of our workspace. */
export function isFullMember(told: unknown, installation: Installation): boolean {
  const user = SlackUser.safeParse(told);
  return user.success && strangeness(user.data, installation) === undefined;
}

/** Whether all that a request names for a person is theirs, and what it was sent to is ours. */
function fits(claims: Claims, user: SlackUser, installation: Installation): boolean {
  const { team, enterprise, orgWide } = installation;
  const theirs = new Set<string | undefined>([team, enterprise, ...workspacesOf(user), user.team_id ?? undefined]);
  const sentToUs = orgWide ? claims.installation.enterprise === enterprise : claims.installation.team === team;
  return sentToUs && claims.teams.every((named) => theirs.has(named));
}

async function withPatience<T>(look: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('Slack took too long')), patienceMs).unref();
  });
  return await Promise.race([look, late]).catch((thrown: unknown) => {
    throw thrown instanceof Fault ? thrown : fault('IDENTITY_UNKNOWN', {}, thrown);
  });
}

function memberOr({ other, ...member }: { other: string | undefined; team: OwnTeam; user: string }): Member {
  if (other !== undefined) throw fault('NOT_A_MEMBER', { kind: other });
  return Member.parse(member);
}

/** Who is a full member, as Slack says; remembered for five minutes. In doubt the answer is no. */
export function createMembers(client: WebClient, installed: LookUpInstallation, now: Clock): Members {
  const known = new Map<string, { until: number; user: SlackUser }>();
  const look = async (id: string): Promise<SlackUser | undefined> => {
    const entry = known.get(id);
    if (entry && entry.until >= now()) return entry.user;
    const found = await client.users.info({ user: id }).catch((thrown: unknown) => {
      if (unknown.has(SlackError.safeParse(thrown).data?.data?.error ?? '')) return undefined;
      throw thrown;
    });
    if (!found) return undefined;
    const user = SlackUser.parse(found.user);
    if (user.id !== id) throw new Error('users.info told of somebody else');
    if (known.size >= mostKept) known.clear();
    known.set(id, { until: now() + keepMs, user });
    return user;
  };
  const judge = async (id: string, sound: (user: SlackUser, installation: Installation) => boolean) => {
    const [installation, user] = await withPatience(Promise.all([installed(), look(id)]));
    const doubted = (known: SlackUser) => (sound(known, installation) ? undefined : outsider);
    const other = user ? (strangeness(user, installation) ?? doubted(user)) : 'unknown to Slack';
    return { other, team: installation.team, user: id };
  };
  const judgeAgain = ({ team, user: id }: { team: string; user: string }) =>
    judge(id, (_, installation) => team === installation.team);
  return {
    admit: async (claims) =>
      memberOr(await judge(claims.user, (user, installation) => fits(claims, user, installation))),
    again: async (was) => memberOr(await judgeAgain(was)),
    membership: async (actor) => {
      const { other } = actor.kind === 'slack' ? await judgeAgain(actor) : {};
      return other === undefined ? { kind: 'member' } : { kind: 'other', other };
    },
  };
}

/** The actor that a member is: the one place that makes one of somebody in Slack. */
export const actorOf = ({ team, user }: Member): Actor => ({ kind: 'slack', team, user });
