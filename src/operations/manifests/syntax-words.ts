import type { LineCounter, YAMLError } from 'yaml';

/** What the reader of YAML complains of, in words for whoever wrote it late at night. */

const words: Partial<Record<YAMLError['code'], string>> = {
  BAD_INDENT: 'the indentation does not fit: it belongs to nothing above it',
  TAB_AS_INDENT: 'there is a tab; YAML is indented with spaces only',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing, or the line before is not finished',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  BAD_ALIAS: 'an alias (*…) that is none; a text that begins with * belongs in quotes',
  BAD_SCALAR_START: 'a text that begins with such a character belongs in quotes',
  BLOCK_IN_FLOW: 'a bracket is not closed before the next line begins',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  UNEXPECTED_TOKEN: 'something is left over here',
};

const indentOf = (line: string) => line.length - line.trimStart().length;
const quoted = (line: string) => `“${line.trim().slice(0, 60)}”`;

/** `image: web` and below it a deeper line: what was meant is either a list of settings, or the same indentation. */
function nestedMapping(all: readonly string[], line: number, column: number): string {
  const here = all[line - 1] ?? '';
  const next = all[line] ?? '';
  if (next.trim() !== '' && indentOf(next) > indentOf(here))
    return `line ${line + 1} (${quoted(next)}) is indented deeper than line ${line} (${quoted(here)}), which has a value already`;
  return `line ${line}, column ${column} (${quoted(here)}): a colon with a space in the middle of a text; put the text in quotes`;
}

/** The problem with its line and column, and the line itself. */
export function problemOf({ code, message, pos }: YAMLError, text: string, lines: LineCounter): string {
  const { line, col } = lines.linePos(pos[0]);
  const all = text.split(/\r?\n/);
  const here = all[line - 1] ?? '';
  const where = `line ${line}, column ${col} (${quoted(here)})`;
  if (/^(<{7}|={7}|>{7})/.test(here)) return `${where}: a conflict of a merge is not resolved.`;
  if (/^[^{}]*\{\{/.test(here) && here.includes('}}'))
    return `${where}: this is a template; render it first (helm template, kustomize build).`;
  if (code === 'TAG_RESOLVE_FAILED') return `${where}: tags such as ${/!\S*/.exec(here)?.[0] ?? '!'} are not taken.`;
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return `${nestedMapping(all, line, col)}.`;
  return `${where}: ${words[code] ?? message.replace(/^Error: /, '').slice(0, 200)}.`;
}
