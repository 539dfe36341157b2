import { Fragment, type ReactNode } from 'react';
import type { Message } from '../../../testbed/slack/workspace.ts';
import { MessageItem } from './message-item.tsx';
import { dateOf, dayName } from './moments.ts';
import { keyOf } from './use-workspace.ts';

const togetherSeconds = 5 * 60;

const follows = (message: Message, before: Message | undefined) =>
  before !== undefined &&
  before.user === message.user &&
  before.onlyFor === message.onlyFor &&
  !message.broadcast &&
  Number(message.ts) - Number(before.ts) < togetherSeconds;

const dayOf = (message: Message) => dateOf(message.ts).toDateString();

type Props = {
  messages: readonly Message[];
  /** In a channel: what each message's thread holds. */
  threads?: ReadonlyMap<string, readonly Message[]>;
  /** What stands above the first message. */
  children?: ReactNode;
};

/** Messages under one another; it stays at the newest as long as one looks at the newest. */
export function MessageList({ messages, threads, children }: Props) {
  return (
    <div className="scroller">
      <div className="messages" role="log" aria-label="Messages">
        {children}
        {messages.map((message, index) => {
          const before = messages[index - 1];
          const newDay = threads !== undefined && (!before || dayOf(before) !== dayOf(message));
          const replies = threads && { replies: threads.get(message.ts) ?? [] };
          return (
            <Fragment key={keyOf(message)}>
              {newDay && (
                <div className="day">
                  <span>{dayName(dateOf(message.ts))}</span>
                </div>
              )}
              <MessageItem message={message} follows={!newDay && follows(message, before)} {...replies} />
            </Fragment>
          );
        })}
      </div>
    </div>
  );
}
