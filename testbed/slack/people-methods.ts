import { no, words } from './answers.ts';
import { inOrganization, isLocal, isStranger, teamOf } from './belonging.ts';
import type { Methods } from './web-api.ts';
import type { Channel, User, Workspace } from './workspace.ts';

const profileOf = (user: User, space: Workspace) => ({
  real_name: user.realName,
  display_name: user.name,
  title: user.title,
  team: teamOf(space, user.id),
});

const enterpriseUser = (user: User, { enterprise, teamId }: Workspace) =>
  enterprise && {
    enterprise_user: {
      id: user.id,
      enterprise_id: enterprise.id,
      enterprise_name: enterprise.name,
      is_admin: false,
      is_owner: false,
      teams: user.teams ?? [teamId],
    },
  };

/** Of people of another organization Slack tells less, and nothing says “external”: the team is another one. */
const wireOutsider = (user: User, space: Workspace) => ({
  id: user.id,
  team_id: user.team,
  name: user.name,
  real_name: user.realName,
  profile: profileOf(user, space),
  is_stranger: isStranger(space, user),
});

const wireMember = (user: User, space: Workspace) => ({
  id: user.id,
  team_id: teamOf(space, user.id),
  name: user.name,
  real_name: user.realName,
  deleted: user.deleted === true,
  is_bot: user.bot === true,
  is_restricted: user.guest === true,
  is_ultra_restricted: false,
  tz: 'Etc/UTC',
  profile: profileOf(user, space),
  ...enterpriseUser(user, space),
});

const wireUser = (user: User, space: Workspace) =>
  user.team !== undefined && !inOrganization(space, user.id) ? wireOutsider(user, space) : wireMember(user, space);

const wireChannel = ({ id, name, topic, sharedWith, external }: Channel) => ({
  id,
  name,
  is_channel: true,
  is_private: false,
  is_archived: false,
  is_member: true,
  is_shared: sharedWith !== undefined,
  is_ext_shared: external === true,
  is_org_shared: sharedWith !== undefined && external !== true,
  topic: { value: topic, creator: '', last_set: 0 },
});

const wireGroup = ({ id, handle, name, users }: Workspace['userGroups'][number], { teamId }: Workspace) => ({
  id,
  handle,
  name,
  team_id: teamId,
  is_usergroup: true,
  date_delete: 0,
  user_count: users.length,
  users,
});

export const peopleMethods: Methods = {
  'users.info': ({ space }, args) => {
    const user = space.users.find(({ id }) => id === words(args, 'user'));
    return user ? { ok: true, user: wireUser(user, space) } : no('user_not_found');
  },
  // Those of other workspaces are not listed; who has their id may ask for them.
  'users.list': ({ space }) => ({
    ok: true,
    members: space.users.filter(({ id }) => isLocal(space, id)).map((user) => wireUser(user, space)),
  }),
  'usergroups.list': ({ space }) => ({
    ok: true,
    usergroups: space.userGroups.map((group) => wireGroup(group, space)),
  }),
  'usergroups.users.list': ({ space }, args) => {
    const group = space.userGroups.find(({ id }) => id === words(args, 'usergroup'));
    return group ? { ok: true, users: group.users } : no('no_such_subteam');
  },
  'conversations.open': ({ space }, args) => {
    const user = space.users.find(({ id }) => id === words(args, 'users'));
    return user ? { ok: true, channel: { id: `D${user.id.slice(1)}` } } : no('user_not_found');
  },
  'conversations.info': ({ space }, args) => {
    const channel = space.channels.find(({ id }) => id === words(args, 'channel'));
    return channel ? { ok: true, channel: wireChannel(channel) } : no('channel_not_found');
  },
  'conversations.list': ({ space }) => ({
    ok: true,
    channels: space.channels.map(wireChannel),
    response_metadata: { next_cursor: '' },
  }),
};
