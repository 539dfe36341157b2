import type { RichTextBlock, RichTextBlockElement, RichTextElement } from '@slack/types';
import type { ReactNode } from 'react';
import { ChannelMention, Emoji, Link, Moment, UserMention } from './mrkdwn.tsx';

type Style = { bold?: boolean; italic?: boolean; strike?: boolean; code?: boolean } | undefined;

function Styled({ style, children }: { style: Style; children: ReactNode }) {
  let shown = children;
  if (style?.code) shown = <code>{shown}</code>;
  if (style?.strike) shown = <s>{shown}</s>;
  if (style?.italic) shown = <i>{shown}</i>;
  if (style?.bold) shown = <b>{shown}</b>;
  return shown;
}

function Piece({ element }: { element: RichTextElement }): ReactNode {
  switch (element.type) {
    case 'text':
      return <Styled style={element.style}>{element.text}</Styled>;
    case 'link':
      return (
        <Styled style={element.style}>
          <Link url={element.url}>{element.text ?? element.url}</Link>
        </Styled>
      );
    case 'emoji':
      return <Emoji name={element.name} />;
    case 'user':
      return <UserMention id={element.user_id} />;
    case 'channel':
      return <ChannelMention id={element.channel_id} />;
    case 'usergroup':
      return <span className="mention">@{element.usergroup_id}</span>;
    case 'broadcast':
      return <span className="mention mention-me">@{element.range}</span>;
    case 'date':
      return <Moment seconds={element.timestamp} layout={element.format} fallback={element.fallback ?? ''} />;
    default:
      return 'text' in element && typeof element.text === 'string' ? element.text : null;
  }
}

const pieces = (elements: readonly RichTextElement[]) =>
  // A text's pieces have no identity but their place.
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  elements.map((element, index) => <Piece key={index} element={element} />);

function Part({ element }: { element: RichTextBlockElement }) {
  switch (element.type) {
    case 'rich_text_section':
      return <p>{pieces(element.elements)}</p>;
    case 'rich_text_preformatted':
      return <pre>{pieces(element.elements)}</pre>;
    case 'rich_text_quote':
      return <blockquote>{pieces(element.elements)}</blockquote>;
    case 'rich_text_list': {
      // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
      const lines = element.elements.map((line, index) => <li key={index}>{pieces(line.elements)}</li>);
      const style = { marginLeft: `${(element.indent ?? 0) * 28}px` };
      return element.style === 'ordered' ? <ol style={style}>{lines}</ol> : <ul style={style}>{lines}</ul>;
    }
    default:
      return element satisfies never;
  }
}

export const RichText = ({ block }: { block: RichTextBlock }) => (
  <div className="rich-text">
    {block.elements.map((element, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place
      <Part key={index} element={element} />
    ))}
  </div>
);
