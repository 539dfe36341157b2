import { useMemo, useState } from 'react';
import type { Channel, Message } from '../../../testbed/slack/workspace.ts';
import { Composer } from './composer.tsx';
import { useDesk } from './desk.ts';
import { Icon } from './icons.tsx';
import { MessageList } from './message-list.tsx';
import type { Space } from './use-workspace.ts';

const byTime = (a: Message, b: Message) => Number(a.ts) - Number(b.ts);

/** A channel's messages and, by the first message's ts, what its threads hold. */
export function messagesOf({ messages }: Space, channel: string) {
  const all = [...messages.values()].filter((message) => message.channel === channel).sort(byTime);
  const shown = all.filter(({ thread, broadcast }) => thread === undefined || broadcast === true);
  const replies = all.filter(({ thread }) => thread !== undefined);
  return { shown, threads: Map.groupBy(replies, ({ thread }) => thread ?? '') };
}

function Beginning({ channel, onTry }: { channel: Channel; onTry(line: string): void }) {
  const { space } = useDesk();
  const isFirst = space.channels[0]?.id === channel.id;
  return (
    <div className="beginning">
      <h2>
        <Icon name="hash" /> {channel.name}
      </h2>
      <p>
        This is the very beginning of the <b>#{channel.name}</b> channel. {channel.topic}.
      </p>
      {isFirst && space.suggestions.length > 0 && (
        <p className="suggestions">
          <span>Try</span>
          {space.suggestions.map((line) => (
            <button key={line} type="button" className="suggestion" onClick={() => onTry(line)}>
              {line}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}

export function ChannelView({ channel }: { channel: Channel }) {
  const { space } = useDesk();
  const { shown, threads } = useMemo(() => messagesOf(space, channel.id), [space, channel.id]);
  const [tried, setTried] = useState<{ line: string }>();
  return (
    <main className="channel" aria-label={`#${channel.name}`}>
      <header className="channel-head">
        <h1>
          <Icon name="hash" /> {channel.name}
        </h1>
        <span className="topic">{channel.topic}</span>
        <span className="count">{space.users.filter(({ deleted }) => !deleted).length} members</span>
      </header>
      <MessageList messages={shown} threads={threads}>
        <Beginning channel={channel} onTry={(line) => setTried({ line })} />
      </MessageList>
      <Composer key={channel.id} channel={channel} tried={tried} />
    </main>
  );
}
