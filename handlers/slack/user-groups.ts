import type { WebClient } from '@slack/web-api';
import type { Log } from '../../src/core/ports.ts';
import type { Settings } from '../../src/core/settings.ts';

const everyMs = 60_000;
/** Members who could not be asked for anew for so long count as none: in doubt the answer is no. */
const staleMs = 15 * 60_000;

export type UserGroups = { members(): Settings['groups']; refresh(): Promise<void>; stop(): void };

/** The ids of the user groups that roles speak of, as `group:S0123456789`. */
export function groupsIn({ roles }: Pick<Settings, 'roles'>): string[] {
  const named = Object.values(roles).flatMap((members) => members.filter((member) => member.startsWith('group:')));
  return [...new Set(named.map((member) => member.slice('group:'.length)))];
}

/** Who is in the Slack user groups that the settings speak of, asked for every minute. Needs the scope usergroups:read. */
export function watchUserGroups(client: WebClient, settings: () => Settings, log: Log): UserGroups {
  const known = new Map<string, { users: string[]; at: number }>();
  const ask = async (usergroup: string) => {
    try {
      const { users = [] } = await client.usergroups.users.list({ usergroup });
      known.set(usergroup, { users, at: performance.now() });
    } catch (problem) {
      log.warn({ usergroup, problem }, 'Slack did not say who is in a user group');
    }
  };
  const refresh = async () => void (await Promise.all(groupsIn(settings()).map(ask)));
  const timer = setInterval(() => void refresh(), everyMs);
  timer.unref();
  return {
    members: () => {
      const fresh = [...known].filter(([, { at }]) => performance.now() - at < staleMs);
      return Object.fromEntries(fresh.map(([group, { users }]) => [group, users]));
    },
    refresh,
    stop: () => clearInterval(timer),
  };
}
