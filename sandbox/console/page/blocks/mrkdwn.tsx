import { Fragment, type ReactNode } from 'react';
import { useDesk, userOf } from '../desk.ts';
import { emojiOf, withEmoji } from '../emoji.ts';
import { formatted, fullMoment } from '../moments.ts';
import { mrkdwnTree, type Node } from './mrkdwn-tree.ts';

export function Emoji({ name }: { name: string }) {
  const drawn = emojiOf(name);
  return drawn === undefined ? (
    `:${name}:`
  ) : (
    <span className="emoji" role="img" aria-label={name.replaceAll('_', ' ')}>
      {drawn}
    </span>
  );
}

export function UserMention({ id, label }: { id: string; label?: string | undefined }) {
  const { space } = useDesk();
  const user = userOf(space, id);
  const name = user.realName === id ? (label ?? id) : user.realName;
  return <span className={id === space.me ? 'mention mention-me' : 'mention'}>@{name}</span>;
}

export function ChannelMention({ id, label }: { id: string; label?: string | undefined }) {
  const { space, openChannel } = useDesk();
  const channel = space.channels.find((known) => known.id === id);
  return (
    <button type="button" className="mention" onClick={() => channel && openChannel(id)}>
      #{channel?.name ?? label ?? id}
    </button>
  );
}

function GroupMention({ id, label }: { id: string; label: string | undefined }) {
  const { space } = useDesk();
  const group = space.userGroups.find((known) => known.id === id);
  return <span className="mention">@{group?.handle ?? label?.replace(/^@/, '') ?? id}</span>;
}

export function Moment({ seconds, layout, fallback }: { seconds: number; layout: string; fallback: string }) {
  const date = new Date(seconds * 1_000);
  if (Number.isNaN(date.getTime())) return fallback;
  return (
    <time dateTime={date.toISOString()} title={fullMoment(date)}>
      {formatted(seconds, layout)}
    </time>
  );
}

export const Link = ({ url, children }: { url: string; children: ReactNode }) =>
  /^(https?|mailto):/.test(url) ? (
    <a href={url} target="_blank" rel="noreferrer">
      {children}
    </a>
  ) : (
    children
  );

function Piece({ node }: { node: Node }): ReactNode {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'code':
      return <code>{node.text}</code>;
    case 'pre':
      return <pre>{node.text}</pre>;
    case 'bold':
      return (
        <b>
          <Pieces nodes={node.inside} />
        </b>
      );
    case 'italic':
      return (
        <i>
          <Pieces nodes={node.inside} />
        </i>
      );
    case 'strike':
      return (
        <s>
          <Pieces nodes={node.inside} />
        </s>
      );
    case 'quote':
      return (
        <blockquote>
          <Pieces nodes={node.inside} />
        </blockquote>
      );
    case 'link':
      return <Link url={node.url}>{node.label}</Link>;
    case 'user':
      return <UserMention id={node.id} label={node.label} />;
    case 'channel':
      return <ChannelMention id={node.id} label={node.label} />;
    case 'group':
      return <GroupMention id={node.id} label={node.label} />;
    case 'broadcast':
      return <span className="mention mention-me">@{node.name}</span>;
    case 'date':
      return <Moment {...node} />;
    case 'emoji':
      return <Emoji name={node.name} />;
    default:
      return node satisfies never;
  }
}

function Pieces({ nodes }: { nodes: Node[] }) {
  // A text's pieces have no identity but their place.
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return nodes.map((node, index) => <Fragment key={index}>{<Piece node={node} />}</Fragment>);
}

export const Mrkdwn = ({ text }: { text: string }) => <Pieces nodes={mrkdwnTree(text)} />;

/** A text object, in whichever of its two languages. */
export function Text({ text }: { text: { type: string; text: string; emoji?: boolean } }) {
  return text.type === 'mrkdwn' ? <Mrkdwn text={text.text} /> : withEmoji(text.text);
}
