import { normalize } from 'node:path/posix';
import { linearPattern } from '../../core/linear-pattern.ts';

/**
 * One rule of a `.dockerignore`, as BuildKit reads it (https://github.com/moby/patternmatcher), in time that grows with rule times path
 * whatever they hold. A regular expression made of `*a*a*a*a*b`, as Docker's and other libraries make one, keeps JavaScript's engine busy
 * for hours, and rules come from whoever sends a context.
 */
export type Rule = {
  /** An exception: what fits it is brought back. */
  brings: boolean;
  /** As it was cleaned up. */
  pattern: string;
  /** Whether it fits each of the folders on the way to a path, and at last the path; false where the list ends before. */
  fits: (path: string) => readonly boolean[];
};

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

/** What nobody sees in a rule: blanks that are not everybody's, and letters that are none. What is read of them differs. */
const unseen = /[^\S \t]|(?!\t)\p{Cc}|[\ufeff\ufffd]/u;

/**
 * What stands for more than itself in the regular expression that BuildKit makes of a rule with wildcards. `{2}`, `{2,}` and `{2,3}`
 * repeat; any other braces are letters, and choose nothing: `*.{js,ts}` is about names that end in `.{js,ts}`.
 */
const meant = /[|^]|\{\d+(,\d*)?\}/;

const refused = (rule: string, why: string) => new SyntaxError(`the rule “${rule.slice(0, 60)}” ${why}`);

/** `[a-z]`, `[^a]`: one letter, which a regular expression of one letter tells. @throws SyntaxError where it has no end */
function classAt(pattern: string, at: number): { end: number; fits: (letter: string) => boolean } {
  const found = /^\[(?:\\[\s\S]|[^\]\\])+\]/.exec(pattern.slice(at))?.[0];
  if (found === undefined) throw refused(pattern, 'has a “[” without its “]”');
  // BuildKit reads `[[:alpha:]]` as a name for letters, wildcards as ones here too, and takes no “-” that is no range.
  if (/[[*?/]|^\^?[-\]]|-\]$/.test(found.slice(1)))
    throw refused(pattern, 'has one of [ * ? / - out of place within “[…]”');
  try {
    const { fits } = linearPattern(found);
    return { end: at + found.length, fits };
  } catch {
    throw refused(pattern, 'has a “[…]” that means nothing');
  }
}

const lettersIn = (text: string): Token[] => Array.from(text, (letter) => ({ kind: 'letter', letter }));

function tokensOf(pattern: string): Token[] {
  // Without any other wildcard BuildKit goes by how a path ends: `**.log` is about each log.
  const ending = /^\*\*([^/*?[\]\\][^*?[\]\\]*)$/.exec(pattern)?.[1];
  if (ending !== undefined) return [{ kind: 'rest' }, ...lettersIn(ending)];
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; ) {
    const letter = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    if (letter === '*' && pattern[at + 1] === '*') {
      at += pattern[at + 2] === '/' ? 3 : 2;
      tokens.push({ kind: at >= pattern.length ? 'rest' : 'folders' });
    } else if (letter === '[') {
      const { end, fits } = classAt(pattern, at);
      tokens.push({ kind: 'one', fits });
      at = end;
    } else if (letter === '\\') {
      const next = pattern[at + 1] ?? '';
      if (next === '') throw refused(pattern, 'ends in a “\\”');
      // BuildKit takes `\d` for a digit, and people mean a “d”.
      if (!/[^\w\u0080-\uffff]/.test(next)) throw refused(pattern, 'has a “\\” before a letter');
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
      at += letter.length;
    }
  }
  return tokens;
}

/** Follows all ways through the rule at once, a letter of the path after the other. */
function runs(tokens: readonly Token[], path: string): readonly boolean[] {
  const fits: boolean[] = [];
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
    if (letter === '/') fits.push(here.has(tokens.length));
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
    if (next.size === 0) return fits;
    here = next;
  }
  return [...fits, here.has(tokens.length)];
}

const tidy = (name: string): string => normalize(name).replace(/(?<=.)\/$/, '');

/** Reads a line; undefined where it is no rule. @throws SyntaxError where BuildKit could read it otherwise */
export function ruleOf(line: string): Rule | undefined {
  const said = line.replace(/\r$/, '').trim();
  if (line.startsWith('#')) return undefined;
  if (unseen.test(line.replace(/\r$/, ''))) throw refused(said, 'has a blank or a letter that nobody sees');
  if (said === '') return undefined;
  const mark = said.startsWith('!') ? '!' : '';
  const named = said.slice(mark.length).trim();
  if (named === '') throw refused(said, 'names nothing');
  // BuildKit reads what it has read once more, by which `/!a` is an exception too.
  const clean = tidy(`${mark}${tidy(named).replace(/^\/(?=.)/, '')}`.trim());
  const brings = clean.startsWith('!');
  if (clean === '') return undefined;
  if (clean === '!') throw refused(line, 'names nothing');
  const rule = brings ? clean.slice(1) : clean;
  if (/[*?[\]\\]/.test(rule) && meant.test(rule.replaceAll('[^', '[')))
    throw refused(
      line,
      'has a wildcard beside a “|”, a “^” or a number in braces, which BuildKit takes for more than themselves',
    );
  const tokens = tokensOf(rule);
  return { brings, pattern: rule, fits: (path) => runs(tokens, path) };
}

/**
 * Whether rules leave a path out, asked as BuildKit asks them on its walk: folder by folder, and a rule not at all where it would change
 * nothing. So an exception for a folder that nothing had left out brings back nothing in it.
 */
export function leftOut(rules: readonly Rule[], path: string): boolean {
  if (!rules.some(({ brings }) => brings)) return rules.some(({ fits }) => fits(path).includes(true));
  const all = rules.map(({ brings, fits }) => ({ brings, fits: fits(path), above: false }));
  let out = false;
  for (let depth = 0; depth < path.split('/').length; depth++) {
    out = false;
    for (const rule of all) {
      rule.above ||= rule.brings === out && rule.fits[depth] === true;
      if (rule.above) out = !rule.brings;
    }
  }
  return out;
}
