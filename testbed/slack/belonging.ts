import type { Channel, User, Workspace } from './workspace.ts';

/**
 * Who is of which workspace, as Slack tells of it:
 * https://docs.slack.dev/apis/slack-connect and https://docs.slack.dev/enterprise/developing-for-enterprise-orgs
 */

const userOf = (space: Workspace, id: string): User | undefined => space.users.find((user) => user.id === id);

/** The workspace that Slack names for a person: on Enterprise Grid, the same one wherever they are. */
export const teamOf = (space: Workspace, id: string): string => userOf(space, id)?.team ?? space.teamId;

/** Whether somebody is a member or a guest of this workspace, whichever other one is their first. */
export function isLocal(space: Workspace, id: string): boolean {
  const user = userOf(space, id);
  return user?.team === undefined || user.teams?.includes(space.teamId) === true;
}

/** The workspace that somebody acts from: this one, where they are in it. */
export const actsFrom = (space: Workspace, id: string): string =>
  isLocal(space, id) ? space.teamId : teamOf(space, id);

const connects = ({ sharedWith = [] }: Channel, { team = '', teams = [] }: User): boolean =>
  [team, ...teams].some((each) => sharedWith.includes(each));

/** Whether somebody can see a channel; @throws Error where Slack would not let them act there. */
export function checkInChannel(space: Workspace, id: string, channelId: string): void {
  const user = userOf(space, id);
  const channel = space.channels.find((known) => known.id === channelId);
  if (!user || !channel || isLocal(space, id) || connects(channel, user)) return;
  throw new Error(`${user.name} is of ${teamOf(space, id)}, which #${channel.name} is not shared with`);
}

/** A stranger is somebody of another workspace whom no channel is shared with: other outsiders are none. */
export const isStranger = (space: Workspace, user: User): boolean =>
  !isLocal(space, user.id) && !space.channels.some((channel) => connects(channel, user));

/** Of the same organization on Enterprise Grid. */
export const inOrganization = (space: Workspace, id: string): boolean =>
  space.enterprise !== undefined && (userOf(space, id)?.team === undefined || userOf(space, id)?.teams !== undefined);

/** Whether a channel is open to other organizations (Slack Connect), not to other workspaces of the own one alone. */
export const isExternal = (space: Workspace, channelId: string): boolean =>
  space.channels.find(({ id }) => id === channelId)?.external === true;
