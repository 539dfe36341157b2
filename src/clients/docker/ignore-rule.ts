import { normalize } from 'node:path/posix';
import { linearPattern } from '../../core/linear-pattern.ts';

/**
 * One rule of a `.dockerignore`, as BuildKit reads it (https://github.com/moby/patternmatcher), in time that grows with rule times path
 * whatever they hold. A regular expression made of `*a*a*a*a*b`, as Docker's and other libraries make one, keeps JavaScript's engine busy
 * for hours, and rules come from whoever sends a context.
 */
export type Rule = { brings: boolean; matches: (path: string) => boolean };

type Token =
  | { kind: 'letter'; letter: string }
  | { kind: 'one'; fits: (letter: string) => boolean }
  /** `*`: any letters but a slash. */
  | { kind: 'star' }
  /** `**` with more behind it: any folders, or none. */
  | { kind: 'folders' }
  /** `**` at the end. */
  | { kind: 'rest' };

const notSlash = (letter: string) => letter !== '/';

/** `[a-z]`, `[^a]`: one letter, which a regular expression of one letter tells. @throws SyntaxError where it has no end */
function classAt(pattern: string, at: number): { end: number; fits: (letter: string) => boolean } {
  const found = /^\[(?:\\[\s\S]|[^\]\\])+\]/.exec(pattern.slice(at))?.[0];
  if (found === undefined) throw new SyntaxError(`the rule “${pattern.slice(0, 60)}” has a “[” without its “]”`);
  try {
    const { fits } = linearPattern(found);
    return { end: at + found.length, fits };
  } catch {
    throw new SyntaxError(`the rule “${pattern.slice(0, 60)}” has a “[…]” that means nothing`);
  }
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; ) {
    const letter = pattern[at] ?? '';
    if (letter === '*' && pattern[at + 1] === '*') {
      at += pattern[at + 2] === '/' ? 3 : 2;
      tokens.push({ kind: at >= pattern.length ? 'rest' : 'folders' });
    } else if (letter === '[') {
      const { end, fits } = classAt(pattern, at);
      tokens.push({ kind: 'one', fits });
      at = end;
    } else if (letter === '\\') {
      const next = pattern[at + 1] ?? '\\';
      // BuildKit takes `\d` for a digit, and people mean a “d”.
      if (/\w/.test(next)) throw new SyntaxError(`the rule “${pattern.slice(0, 60)}” has a “\\” before a letter`);
      tokens.push({ kind: 'letter', letter: next });
      at += 2;
    } else {
      tokens.push(
        letter === '*'
          ? { kind: 'star' }
          : letter === '?'
            ? { kind: 'one', fits: notSlash }
            : { kind: 'letter', letter },
      );
      at += 1;
    }
  }
  return tokens;
}

/** Follows all ways through the rule at once, a letter of the path after the other. It ends well at the path, or at a folder on its way. */
function runs(tokens: readonly Token[], path: string): boolean {
  let here = new Set<number>();
  const enter = (state: number, into: Set<number>) => {
    for (let at = state; !into.has(at); at++) {
      into.add(at);
      const kind = tokens[at]?.kind;
      if (kind !== 'star' && kind !== 'folders' && kind !== 'rest') return;
    }
  };
  enter(0, here);
  for (const letter of path) {
    if (letter === '/' && here.has(tokens.length)) return true;
    const next = new Set<number>();
    for (const state of here) {
      const token = tokens[state];
      if (token?.kind === 'letter' ? token.letter === letter : token?.kind === 'one' && token.fits(letter))
        enter(state + 1, next);
      else if (token?.kind === 'rest' || (token?.kind === 'star' && letter !== '/')) enter(state, next);
      else if (token?.kind === 'folders') {
        // In the middle of a folder's name it cannot end.
        next.add(state);
        if (letter === '/') enter(state + 1, next);
      }
    }
    if (next.size === 0) return false;
    here = next;
  }
  return here.has(tokens.length);
}

const tidy = (name: string): string => normalize(name).replace(/(?<=.)\/$/, '');

/** Reads a line; undefined where it is no rule. @throws SyntaxError where BuildKit could read it otherwise */
export function ruleOf(line: string): Rule | undefined {
  const said = line.trim();
  if (said === '' || line.startsWith('#')) return undefined;
  const mark = said.startsWith('!') ? '!' : '';
  const named = said.slice(mark.length).trim();
  if (named === '') throw new SyntaxError('there is a rule “!” that names nothing');
  // BuildKit reads what it has read once more, by which `/!a` is an exception too.
  const clean = tidy(`${mark}${tidy(named).replace(/^\/(?=.)/, '')}`.trim());
  const brings = clean.startsWith('!');
  if (clean === '' || clean === '!') return undefined;
  const tokens = tokensOf(brings ? clean.slice(1) : clean);
  return { brings, matches: (path) => runs(tokens, path) };
}
