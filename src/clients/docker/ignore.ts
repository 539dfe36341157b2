import { normalize } from 'node:path/posix';
import { linearPattern } from '../../core/linear-pattern.ts';
import { isMissing, readInside, UnfitFile } from '../../files/regular-file.ts';
import { leftOut, ruleOf } from './ignore-rule.ts';

export type Ignore = {
  /** Whether a rule could be about something of this name, wherever it lies; what lies nowhere in such a thing is not ignored. */
  mayMatch(name: string): boolean;
  ignores(path: string): boolean;
  /** Whether an ignored folder may still hold something that an exception brings back. */
  mayHold(folder: string): boolean;
  /** Rules that say `{a,b}`, as if braces chose. */
  braced: readonly string[];
};

/** More rules than anybody writes; each is asked about every file. */
const longest = 32_768;

/** Where there is a file that cannot be read, nothing is taken: without its rules everything would be sent, secrets too. */
function textOf(root: string, name: string): string | undefined {
  try {
    return readInside(root, name, longest).toString('utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown instanceof UnfitFile ? new Error(`${name} ${thrown.message}`) : thrown;
  }
}

const hasWildcard = (segment: string) => /[*?[\\]/.test(segment);

/** `!src/**` can bring back something in `src`, and nothing in `node_modules`. */
function reaches(exception: string, folder: string): boolean {
  const [wanted, own] = [exception.split('/'), folder.split('/')];
  for (let n = 0; n < Math.min(wanted.length, own.length); n++) {
    const segment = wanted[n] ?? '';
    // These may also stand for a slash.
    if (segment.includes('**') || segment.includes('[')) return true;
    if (!hasWildcard(segment) && segment !== own[n]) return false;
  }
  return true;
}

/** The names that a rule is about, as a regular expression: of `**\/*.log` those that end in `.log`; of what is no plain rule, any. */
function namesOf(rule: string): string {
  const segments = normalize(rule.replace(/(?<!\/)\/+$/, '')).split('/');
  const last = segments.pop() ?? '';
  const isPlain = /^[\w.*?/-]+$/.test(rule) && segments.every((each) => each === '**' || !each.includes('**'));
  if (!isPlain || last.includes('**') || /^\.{0,2}$/.test(last)) return '.*';
  return last.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
}

/** What a text of rules says. @throws Error where a rule is none that BuildKit would read the same way */
export function rulesIn(said: string): Ignore {
  const text = said.replace(/^\ufeff/, '');
  const lines = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim());
  const rules = text.split(/\n/).flatMap((line) => ruleOf(line) ?? []);
  const exceptions = rules.filter(({ brings }) => brings);
  if (rules.length === 0) return { mayMatch: () => false, ignores: () => false, mayHold: () => true, braced: [] };
  // To ask for each of many thousand paths takes as long as reading them.
  const names = linearPattern(lines.map((line) => namesOf(line.replace(/^!\s*/, ''))).join('|'), { dotAll: true });
  return {
    mayMatch: (name) => names.fits(name),
    ignores: (path) => leftOut(rules, path),
    mayHold: (folder) => exceptions.some(({ pattern }) => reaches(pattern, folder)),
    braced: rules.map(({ pattern }) => pattern).filter(hasChoice),
  };
}

/** Whether it has `{a,b}`, which people take for a choice. */
const hasChoice = (pattern: string): boolean =>
  pattern
    .split('{')
    .slice(1)
    .some((inside) => inside.includes('}') && inside.slice(0, inside.indexOf('}')).includes(','));

/** The rules of a context, from `DOCKERFILE.dockerignore` or else `.dockerignore`. @throws Error where one is there and cannot be read */
export function ignoreOf(root: string, dockerfile: string): Ignore {
  return rulesIn(textOf(root, `${dockerfile}.dockerignore`) ?? textOf(root, '.dockerignore') ?? '');
}
