import { z } from 'zod';
import { linearPattern } from './linear-pattern.ts';

/**
 * Which commands a pattern allows: word by word, with no shell and nothing of ours that would interpret them.
 *
 * - `*` alone is any one argument that does not begin with a dash: `ls *` allows `ls /etc`, and neither `ls` nor `ls -la`.
 * - `*` within a word is any letters but a slash, `**` slashes too: `cat /etc/*` allows `cat /etc/hosts`.
 * - `...` at the end is any number of further arguments that do not begin with a dash.
 * - What a wildcard stands for never goes up a folder (`..`).
 */
export const CommandPattern = z
  .string()
  .min(1)
  .max(500)
  .refine((pattern) => !/^\s|\s$|\s\s/.test(pattern), 'must have one blank between its words, and none around')
  .refine((pattern) => !/^\S*\*/.test(pattern), 'must name the program without wildcards')
  .refine((pattern) => !/(^|\s)\.\.\.\s/.test(pattern) && pattern !== '...', 'may have “...” only at its end');

const climbs = (word: string) => word.split('/').includes('..');
const isFree = (word: string) => !word.startsWith('-') && !climbs(word);

function fitsWord(pattern: string, word: string): boolean {
  if (!pattern.includes('*')) return pattern === word;
  if (pattern === '*') return isFree(word);
  const source = pattern
    .split(/(\*\*?)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&')))
    .join('');
  return !climbs(word) && linearPattern(source, { dotAll: true }).fits(word);
}

/** Whether a pattern allows a command, each of its words compared with one of the pattern's. */
export function allowsCommand(pattern: string, command: readonly string[]): boolean {
  const words = pattern.split(' ');
  const open = words.at(-1) === '...';
  const named = open ? words.slice(0, -1) : words;
  if (command.length < named.length || (!open && command.length > named.length)) return false;
  return (
    named.every((word, index) => fitsWord(word, command[index] ?? '')) && command.slice(named.length).every(isFree)
  );
}

const plainWord = /^[\w./:=@%+,-]+$/;

/** A command as one would type it, with quotes where they are needed to tell its words apart. */
export function commandText(command: readonly string[]): string {
  return command.map((word) => (plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
