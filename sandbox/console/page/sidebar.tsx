import type { Message } from '../../../testbed/slack/workspace.ts';
import { Avatar } from './avatar.tsx';
import { useDesk } from './desk.ts';
import { Icon } from './icons.tsx';
import type { Seen } from './use-seen.ts';
import type { Space } from './use-workspace.ts';

function unseen({ messages, me }: Space, channel: string, since: string): Message[] {
  return [...messages.values()].filter(
    (message) => message.channel === channel && message.user !== me && Number(message.ts) > Number(since),
  );
}

function ChannelLink({ id, name, current, seen }: { id: string; name: string; current: boolean; seen: Seen }) {
  const { space, openChannel } = useDesk();
  const fresh = current ? [] : unseen(space, id, seen[id] ?? '0');
  const called = fresh.filter((message) => JSON.stringify(message).includes(`<@${space.me}>`)).length;
  return (
    <button
      type="button"
      className={`channel-link ${current ? 'current' : ''} ${fresh.length > 0 ? 'unread' : ''}`}
      aria-current={current ? 'page' : undefined}
      onClick={() => openChannel(id)}
    >
      <Icon name="hash" />
      <span>{name}</span>
      {called > 0 && (
        <span className="badge" role="img" aria-label={`${called} mentions`}>
          {called}
        </span>
      )}
    </button>
  );
}

export function Sidebar({ channel, seen }: { channel: string; seen: Seen }) {
  const { space } = useDesk();
  const people = space.users.filter(({ bot, deleted }) => !bot && !deleted);
  return (
    <nav className="sidebar" aria-label="Channels">
      <h2 className="section-name">Channels</h2>
      {space.channels.map(({ id, name }) => (
        <ChannelLink key={id} id={id} name={name} current={id === channel} seen={seen} />
      ))}
      <h2 className="section-name">People</h2>
      {people.map((user) => (
        <div key={user.id} className="person">
          <Avatar user={user} small />
          <span>
            {user.realName}
            {user.id === space.me && <span className="you"> you</span>}
          </span>
        </div>
      ))}
      <h2 className="section-name">Apps</h2>
      {space.users
        .filter(({ bot }) => bot)
        .map((user) => (
          <div key={user.id} className="person">
            <Avatar user={user} small />
            <span>{user.realName}</span>
          </div>
        ))}
    </nav>
  );
}
