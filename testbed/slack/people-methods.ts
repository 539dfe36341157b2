import { no, words } from './answers.ts';
import type { Methods } from './web-api.ts';
import type { Channel, User, Workspace } from './workspace.ts';

const wireUser = (user: User, { teamId }: Workspace) => ({
  id: user.id,
  team_id: user.team ?? teamId,
  name: user.name,
  real_name: user.realName,
  deleted: user.deleted === true,
  is_bot: user.bot === true,
  is_restricted: user.guest === true,
  is_ultra_restricted: false,
  is_stranger: user.team !== undefined,
  tz: 'Etc/UTC',
  profile: { real_name: user.realName, display_name: user.name, title: user.title },
});

const wireChannel = ({ id, name, topic }: Channel) => ({
  id,
  name,
  is_channel: true,
  is_private: false,
  is_archived: false,
  is_member: true,
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
  'users.list': ({ space }) => ({ ok: true, members: space.users.map((user) => wireUser(user, space)) }),
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
