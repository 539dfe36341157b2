/** What Slack's mrkdwn says: https://docs.slack.dev/messaging/formatting-message-text */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'code' | 'pre'; text: string }
  | { kind: 'bold' | 'italic' | 'strike' | 'quote'; inside: Node[] }
  | { kind: 'link'; url: string; label: string }
  | { kind: 'user' | 'channel' | 'group'; id: string; label: string | undefined }
  | { kind: 'broadcast'; name: string }
  | { kind: 'date'; seconds: number; layout: string; fallback: string }
  | { kind: 'emoji'; name: string };

const unescaped = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** What stands between `<` and `>`. */
function reference(body: string): Node {
  const [target = '', label] = body.split(/\|(.*)/s);
  const id = target.slice(1);
  if (target.startsWith('@')) return { kind: 'user', id, label };
  if (target.startsWith('#')) return { kind: 'channel', id, label };
  if (target.startsWith('!subteam^')) return { kind: 'group', id: target.slice('!subteam^'.length), label };
  if (target.startsWith('!date^')) {
    const [, seconds = '0', layout = ''] = target.split('^');
    return { kind: 'date', seconds: Number(seconds), layout, fallback: label ?? '' };
  }
  if (target.startsWith('!')) return { kind: 'broadcast', name: id };
  return { kind: 'link', url: unescaped(target), label: unescaped(label ?? target.replace(/^mailto:/, '')) };
}

/** `*bold*` counts where it touches no word outside and no space inside. */
const marked = (sign: string) => `(?<![\\w${sign}])${sign}(?!\\s)([^${sign}\\n]+?)(?<!\\s)${sign}(?![\\w${sign}])`;
const inline = new RegExp(
  [
    '`([^`\\n]+)`',
    '<([^<>\\n]+)>',
    ':([a-z0-9_+-]+):',
    marked('\\*'),
    marked('_'),
    marked('~'),
    '(https?:\\/\\/[^\\s<>|]+[^\\s<>|.,;:!?)])',
  ].join('|'),
  'g',
);

function nodeOf([, code, ref, emoji, bold, italic, strike, url]: RegExpExecArray): Node {
  if (code !== undefined) return { kind: 'code', text: unescaped(code) };
  if (ref !== undefined) return reference(ref);
  if (emoji !== undefined) return { kind: 'emoji', name: emoji };
  if (bold !== undefined) return { kind: 'bold', inside: inlineNodes(bold) };
  if (italic !== undefined) return { kind: 'italic', inside: inlineNodes(italic) };
  if (strike !== undefined) return { kind: 'strike', inside: inlineNodes(strike) };
  return { kind: 'link', url: unescaped(url ?? ''), label: unescaped(url ?? '') };
}

function inlineNodes(text: string): Node[] {
  const nodes: Node[] = [];
  let done = 0;
  const plain = (end: number) => {
    if (end > done) nodes.push({ kind: 'text', text: unescaped(text.slice(done, end)) });
  };
  for (const match of text.matchAll(inline)) {
    plain(match.index);
    nodes.push(nodeOf(match));
    done = match.index + match[0].length;
  }
  plain(text.length);
  return nodes;
}

const quoteMark = /^(?:>|&gt;) ?/;

/** Lines that begin with `>` belong together as one quote. */
function lineNodes(text: string): Node[] {
  const parts = text.split(/((?:^|\n)(?:(?:>|&gt;).*(?:\n|$))+)/);
  return parts.flatMap((part, index): Node[] => {
    if (index % 2 === 0) return inlineNodes(part);
    const lines = part.trim().split('\n');
    return [{ kind: 'quote', inside: inlineNodes(lines.map((line) => line.replace(quoteMark, '')).join('\n')) }];
  });
}

/** Reads mrkdwn. Unknown names and signs that mark nothing stay as they are. */
export function mrkdwnTree(text: string): Node[] {
  return text.split(/```\n?([\s\S]*?)\n?```\n?/).flatMap((part, index): Node[] => {
    if (index % 2 === 1) return [{ kind: 'pre', text: unescaped(part) }];
    return lineNodes(part);
  });
}
