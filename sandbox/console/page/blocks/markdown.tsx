import { lexer, type Token, type Tokens } from 'marked';
import type { ReactNode } from 'react';
import { withEmoji } from '../emoji.ts';
import { Link } from './mrkdwn.tsx';

/** Marked's types are open-ended; these are the ones drawn here. */
type Drawn =
  | Tokens.Heading
  | Tokens.Paragraph
  | Tokens.Strong
  | Tokens.Em
  | Tokens.Del
  | Tokens.Codespan
  | Tokens.Code
  | Tokens.Blockquote
  | Tokens.List
  | Tokens.Link
  | Tokens.Table
  | Tokens.Hr
  | Tokens.Br
  | Tokens.Text;

const inside = (tokens: Token[] | undefined): ReactNode =>
  tokens?.map((token, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text's pieces have no identity but their place
    <Piece key={index} token={token as Drawn} />
  ));

const List = ({ token }: { token: Tokens.List }) => {
  const items = token.items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
    <li key={index} className={item.task ? 'task-line' : undefined}>
      {item.task && <input type="checkbox" checked={item.checked === true} readOnly />}
      {inside(item.tokens)}
    </li>
  ));
  return token.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
};

const Row = ({ cells, head }: { cells: Tokens.TableCell[]; head?: true }) => (
  <tr>
    {cells.map((cell, index) => {
      const words = inside(cell.tokens);
      // biome-ignore lint/suspicious/noArrayIndexKey: cells have no identity but their place
      return head ? <th key={index}>{words}</th> : <td key={index}>{words}</td>;
    })}
  </tr>
);

function Piece({ token }: { token: Drawn }): ReactNode {
  switch (token.type) {
    case 'heading':
      return <h3 className="header">{inside(token.tokens)}</h3>;
    case 'paragraph':
      return <p>{inside(token.tokens)}</p>;
    case 'strong':
      return <b>{inside(token.tokens)}</b>;
    case 'em':
      return <i>{inside(token.tokens)}</i>;
    case 'del':
      return <s>{inside(token.tokens)}</s>;
    case 'codespan':
      return <code>{token.text}</code>;
    case 'code':
      return <pre>{token.text}</pre>;
    case 'blockquote':
      return <blockquote>{inside(token.tokens)}</blockquote>;
    case 'list':
      return <List token={token} />;
    case 'link':
      return <Link url={token.href}>{inside(token.tokens)}</Link>;
    case 'table':
      return (
        <div className="table">
          <table>
            <thead>
              <Row cells={token.header} head />
            </thead>
            <tbody>
              {token.rows.map((cells, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity but their place
                <Row key={index} cells={cells} />
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'hr':
      return <hr />;
    case 'br':
      return <br />;
    case 'text':
      return token.tokens ? inside(token.tokens) : withEmoji(token.text);
    default:
      // Spaces between blocks, and HTML, which Slack does not draw either.
      return null;
  }
}

/** Standard Markdown, which only the `markdown` block speaks. */
export const Markdown = ({ text }: { text: string }) => <div className="rich-text">{inside(lexer(text))}</div>;
