import type { KnownBlock } from '@slack/types';
import type { Attachment, Message, SharedFile } from '../../../testbed/slack/workspace.ts';
import { Avatar } from './avatar.tsx';
import { ActContext } from './blocks/action.ts';
import { Blocks } from './blocks/blocks.tsx';
import { Mrkdwn } from './blocks/mrkdwn.tsx';
import { useDesk, userOf } from './desk.ts';
import { Icon } from './icons.tsx';
import { clock, dateOf, fullMoment, shortClock } from './moments.ts';
import { withToken } from './token.ts';

const colours: Record<string, string> = { good: '#2eb67d', warning: '#ecb22e', danger: '#e01e5a' };

function AttachmentView({ attachment }: { attachment: Attachment }) {
  const { color = '', blocks, title, text } = attachment;
  return (
    <div className="attachment" style={{ borderLeftColor: colours[color] ?? (color || undefined) }}>
      {typeof title === 'string' && <b>{title}</b>}
      {typeof text === 'string' && (
        <div>
          <Mrkdwn text={text} />
        </div>
      )}
      {/* The fake Slack has checked that they are known blocks. */}
      {blocks && <Blocks blocks={blocks as KnownBlock[]} />}
    </div>
  );
}

const FileView = ({ file: { id, name, title, content, attached } }: { file: SharedFile }) =>
  attached?.mimetype === 'image/png' ? (
    <figure className="picture">
      <figcaption>{title}</figcaption>
      <img src={withToken(`/files/${id}`)} alt={title} />
    </figure>
  ) : (
    <details className="file">
      <summary>
        <Icon name="file" /> <b>{title}</b> {title !== name && name}
      </summary>
      <pre>{content}</pre>
    </details>
  );

export const Time = ({ ts, short = false }: { ts: string; short?: boolean }) => {
  const date = dateOf(ts);
  return (
    <time className="time" dateTime={date.toISOString()} title={fullMoment(date)}>
      {short ? shortClock(date) : clock(date)}
    </time>
  );
};

/** What the message says, with buttons that work. */
function Content({ message }: { message: Message }) {
  const { act } = useDesk();
  const { channel, ts, text, blocks, attachments = [], files = [], edited } = message;
  return (
    <ActContext value={(action, value) => act({ kind: 'click', channel, ts, action, ...(value && { value }) })}>
      <div className="content">
        {blocks.length > 0 ? (
          <Blocks blocks={blocks} />
        ) : (
          <div className="words">
            <Mrkdwn text={text} />
            {edited && <span className="edited"> (edited)</span>}
          </div>
        )}
        {attachments.map((attachment, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: attachments have no identity but their place
          <AttachmentView key={index} attachment={attachment} />
        ))}
        {files.map((file) => (
          <FileView key={file.id} file={file} />
        ))}
        {edited && blocks.length > 0 && <span className="edited">(edited)</span>}
      </div>
    </ActContext>
  );
}

function ThreadSummary({ message, replies }: { message: Message; replies: readonly Message[] }) {
  const { space, openThread } = useDesk();
  const last = replies.at(-1);
  if (!last) return null;
  const people = [...new Set(replies.map(({ user }) => user))].slice(0, 4);
  return (
    <button type="button" className="thread-summary" onClick={() => openThread(message.ts)}>
      {people.map((id) => (
        <Avatar key={id} user={userOf(space, id)} small />
      ))}
      <span className="thread-count">
        {replies.length} {replies.length === 1 ? 'reply' : 'replies'}
      </span>
      <span className="thread-last">
        Last reply at <Time ts={last.ts} />
      </span>
    </button>
  );
}

type Props = {
  message: Message;
  /** Shown in the channel: what was said in its thread. */
  replies?: readonly Message[];
  /** Follows another of the same person: without the face and name. */
  follows?: boolean;
};

export function MessageItem({ message, replies, follows = false }: Props) {
  const { space, openThread } = useDesk();
  const user = userOf(space, message.user);
  const root = message.thread === undefined ? undefined : space.messages.get(`${message.channel}/${message.thread}`);
  const inChannel = replies !== undefined;
  return (
    <article className={`message ${follows ? 'message-follows' : ''} ${message.onlyFor ? 'message-own' : ''}`}>
      {message.onlyFor && (
        <div className="above">
          <Icon name="eye" /> Only visible to you
        </div>
      )}
      {inChannel && message.broadcast && (
        <div className="above">
          <Icon name="thread" /> replied to a thread:{' '}
          <button type="button" className="plain-link" onClick={() => openThread(message.thread ?? message.ts)}>
            {root?.text ?? 'the thread'}
          </button>
        </div>
      )}
      <div className="gutter">{follows ? <Time ts={message.ts} short /> : <Avatar user={user} />}</div>
      <div className="body">
        {!follows && (
          <div className="byline">
            <b className="author">{user.realName}</b>
            {user.bot && <span className="app-badge">APP</span>}
            <Time ts={message.ts} />
          </div>
        )}
        <Content message={message} />
        {replies && !message.broadcast && <ThreadSummary message={message} replies={replies} />}
      </div>
      {inChannel && !message.onlyFor && (
        <div className="hover-bar">
          <button
            type="button"
            aria-label="Reply in thread"
            title="Reply in thread"
            onClick={() => openThread(message.thread ?? message.ts)}
          >
            <Icon name="thread" />
          </button>
        </div>
      )}
    </article>
  );
}
