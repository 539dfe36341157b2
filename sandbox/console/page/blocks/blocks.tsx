import type { AlertBlock, ContainerBlock, ContextBlock, ImageBlock, KnownBlock, SectionBlock } from '@slack/types';
import { useState } from 'react';
import { withEmoji } from '../emoji.ts';
import { Icon } from '../icons.tsx';
import { withToken } from '../token.ts';
import { CardView } from './card.tsx';
import { Element, Picture } from './elements.tsx';
import { Field } from './field.tsx';
import { Markdown } from './markdown.tsx';
import { Text } from './mrkdwn.tsx';
import { Plan, TaskCard } from './plan.tsx';
import { RichText } from './rich-text.tsx';
import { Table } from './table.tsx';

const Section = ({ block: { text, fields, accessory } }: { block: SectionBlock }) => (
  <div className="section">
    <div className="section-words">
      {text && (
        <div>
          <Text text={text} />
        </div>
      )}
      {fields && (
        <div className="fields">
          {fields.map((field, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: fields have no identity but their place
            <div key={index}>
              <Text text={field} />
            </div>
          ))}
        </div>
      )}
    </div>
    {accessory && (
      <div className="accessory">
        <Element element={accessory} />
      </div>
    )}
  </div>
);

const Context = ({ block }: { block: ContextBlock }) => (
  <div className="context">
    {block.elements.map((element, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: elements have no identity but their place
      <span key={index}>{element.type === 'image' ? <Picture element={element} /> : <Text text={element} />}</span>
    ))}
  </div>
);

const Image = ({ block }: { block: ImageBlock }) => (
  <figure className="picture">
    {block.title && <figcaption>{withEmoji(block.title.text)}</figcaption>}
    {'image_url' in block && <img src={block.image_url} alt={block.alt_text} />}
    {'slack_file' in block && 'id' in block.slack_file && (
      <img src={withToken(`/files/${block.slack_file.id}`)} alt={block.alt_text} />
    )}
  </figure>
);

const Alert = ({ block: { level = 'default', text } }: { block: AlertBlock }) => (
  <div className={`alert alert-${level}`} role="status">
    <Icon name="alert" />
    <div>
      <Text text={text} />
    </div>
  </div>
);

function Container({ block }: { block: ContainerBlock }) {
  const { is_collapsible: collapsible = false, default_collapsed: collapsed = false, title, rich_text_title } = block;
  const [open, setOpen] = useState(!collapsed);
  const name = rich_text_title ? <RichText block={rich_text_title} /> : withEmoji(title?.text ?? '');
  return (
    <div className="container">
      {collapsible ? (
        <button type="button" className="container-head" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'down' : 'right'} />
          {name}
        </button>
      ) : (
        <div className="container-head">{name}</div>
      )}
      {block.subtitle && (
        <div className="context">
          <Text text={block.subtitle} />
        </div>
      )}
      {(open || !collapsible) && <Blocks blocks={block.child_blocks} />}
    </div>
  );
}

function Drawn({ block, error }: { block: KnownBlock; error: string | undefined }) {
  switch (block.type) {
    case 'actions':
      return (
        <div className="actions">
          {block.elements.map((element, index) => (
            <Element key={element.action_id ?? index} element={element} />
          ))}
        </div>
      );
    case 'alert':
      return <Alert block={block} />;
    case 'card':
      return <CardView block={block} />;
    case 'carousel':
      return (
        <div className="carousel">
          {block.elements.map((card, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: cards have no identity but their place
            <CardView key={index} block={card} />
          ))}
        </div>
      );
    case 'container':
      return <Container block={block} />;
    case 'context':
      return <Context block={block} />;
    case 'divider':
      return <hr />;
    case 'header':
      return <h3 className="header">{withEmoji(block.text.text)}</h3>;
    case 'image':
      return <Image block={block} />;
    case 'input':
      return <Field block={block} error={error} />;
    case 'markdown':
      return <Markdown text={block.text} />;
    case 'plan':
      return <Plan block={block} />;
    case 'rich_text':
      return <RichText block={block} />;
    case 'section':
      return <Section block={block} />;
    case 'table':
    case 'data_table':
      return <Table block={block} />;
    case 'task_card':
      return <TaskCard block={block} />;
    default:
      return <span className="undrawn">A {block.type} block isn’t drawn here.</span>;
  }
}

type Props = { blocks: readonly KnownBlock[]; errors?: Record<string, string> };

/** Block Kit as Slack draws it. An edit keeps what stays in its place, so that nothing flickers. */
export const Blocks = ({ blocks, errors = {} }: Props) => (
  <div className="blocks">
    {blocks.map((block, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: Slack gives new ids at each edit; the place and type stay
      <Drawn key={`${index} ${block.type}`} block={block} error={errors[block.block_id ?? '']} />
    ))}
  </div>
);
