import { type Alias, type Document, type LineCounter, visit, type YAMLError } from 'yaml';

/** A file as it was read: its name, its text, and what YAML makes of it. */
export type Source = { name: string; text: string; document: Document; lines: LineCounter };

const lineAt = ({ name, lines }: Source, offset: number): string => `${name}:${lines.linePos(offset).line}`;

/** `*` begins an alias in YAML, which nobody means who writes a pattern. */
const starInQuotes = (written: string): string => `what begins with “*” must be in quotes: '${written}'.`;

/** So many letters of the file are looked at before and behind a fault, and shown at most. */
const near = 200;

/** A `{app}` at which the reader gave up, since braces within braces begin a mapping: the whole text that it ends. */
function unquotedBlank(text: string, offset: number): string | undefined {
  const blank = /^\{\s*\w+\s*\}[^\s,}\]]*/.exec(text.slice(offset, offset + near))?.[0];
  const before = text
    .slice(Math.max(0, offset - near), offset)
    .split(/[\s,{[]/)
    .at(-1);
  return blank && `${before}${blank}`.replaceAll(/["']/g, '');
}

function problemOf({ text }: Source, { code, pos, message }: YAMLError): string {
  const [offset] = pos;
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'A second document begins here; only one is read.';
    case 'DUPLICATE_KEY':
      return `“${/^[^:\s]*/.exec(text.slice(offset, offset + near))?.[0] ?? ''}” stands here a second time: put both together, or take one away.`;
    case 'BAD_ALIAS':
      // It is about the “*” or, where a key begins with one, about the colon behind it.
      return starInQuotes(/^[^\s:,[\]{}]*/.exec(text.slice(text.lastIndexOf('*', offset), offset + near))?.[0] ?? '*');
    case 'UNEXPECTED_TOKEN': {
      const blank = unquotedBlank(text, offset);
      return blank === undefined ? `${message}.` : `what has braces in it must be in quotes: '${blank}'.`;
    }
    default:
      return `${message}.`;
  }
}

/**
 * What is no YAML, each with its line. What is read after a token that nobody expects, or after a `*` without quotes, is a guess:
 * that is not told of.
 */
export function syntaxFaults(source: Source): string[] {
  const { errors, warnings } = source.document;
  const stars = [...warnings, ...errors].filter(({ code }) => code === 'BAD_ALIAS');
  const lost = errors.findIndex(({ code }) => code === 'UNEXPECTED_TOKEN');
  const told = stars.length > 0 ? stars : errors.slice(0, lost === -1 ? errors.length : lost + 1);
  return [...new Set(told.map((error) => `${lineAt(source, error.pos[0])} ${problemOf(source, error)}`))];
}

/** What is YAML but can't be resolved: aliases of nothing (a pattern without quotes), or more of them than anybody writes. */
export function aliasFault(source: Source, thrown: unknown): string {
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  const [, unknown] = /^Unresolved alias [^:]*: (.*)$/.exec(said) ?? [];
  let found: Alias | undefined;
  visit(source.document, {
    Alias: (_key, alias) => {
      if (alias.source !== unknown) return;
      found = alias;
      return visit.BREAK;
    },
  });
  return found?.range
    ? `${lineAt(source, found.range[0])} ${starInQuotes(`*${unknown}`)}`
    : `${source.name} ${said}; write these parts out instead.`;
}
