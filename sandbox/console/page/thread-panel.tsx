import { useMemo } from 'react';
import type { Channel } from '../../../testbed/slack/workspace.ts';
import { messagesOf } from './channel-view.tsx';
import { Composer } from './composer.tsx';
import { useDesk } from './desk.ts';
import { Icon } from './icons.tsx';
import { MessageItem } from './message-item.tsx';
import { MessageList } from './message-list.tsx';

/** A message and what was said about it, beside the channel. */
export function ThreadPanel({ channel, ts, onClose }: { channel: Channel; ts: string; onClose(): void }) {
  const { space } = useDesk();
  const { threads } = useMemo(() => messagesOf(space, channel.id), [space, channel.id]);
  const root = space.messages.get(`${channel.id}/${ts}`);
  const replies = (threads.get(ts) ?? []).map(({ broadcast, ...reply }) => reply);
  return (
    <aside className="thread" aria-label="Thread">
      <header className="channel-head">
        <h1>Thread</h1>
        <span className="topic">#{channel.name}</span>
        <button type="button" className="dialog-close" aria-label="Close thread" onClick={onClose}>
          <Icon name="cross" />
        </button>
      </header>
      <MessageList messages={replies}>
        {root && <MessageItem message={root} />}
        <div className="thread-line">
          <span>
            {replies.length} {replies.length === 1 ? 'reply' : 'replies'}
          </span>
        </div>
      </MessageList>
      <Composer key={ts} channel={channel} thread={ts} />
    </aside>
  );
}
