import { readdirSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { fault } from '../../core/errors.ts';
import { isMissing, leavesFolder, readInside, UnfitFile } from '../../files/regular-file.ts';
import { ignoreOf } from './ignore.ts';

export type Context = { root: string; dockerfile: string };

export const refused = (context: string, problem: string, hint = 'Nothing was built. Correct it and ask again.') =>
  fault('CONTEXT_REFUSED', { context, problem, hint });

/** A Dockerfile is held in memory. */
const longestText = 1_048_576;

/**
 * The context and its Dockerfile, as they really lie. `said` is how people call it.
 * @throws Fault CONTEXT_REFUSED where one is missing, or lies outside
 */
export async function contextIn(folder: string, dockerfile: string, said: string): Promise<Context & { text: string }> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) throw refused(said, 'it does not exist');
  if (!(await stat(root)).isDirectory()) throw refused(said, 'it is not a folder');
  const path = relative(root, join(root, dockerfile));
  if (isAbsolute(dockerfile) || leavesFolder(path)) throw refused(said, `${dockerfile} lies outside of it`);
  try {
    return { root, dockerfile: path, text: readInside(root, path, longestText).toString('utf8') };
  } catch (thrown) {
    if (isMissing(thrown)) throw refused(said, `there is no ${dockerfile} in it`);
    if (thrown instanceof UnfitFile) throw refused(said, `${dockerfile} ${thrown.message}`);
    throw refused(said, `${dockerfile} cannot be read (${thrown instanceof Error ? thrown.message : String(thrown)})`);
  }
}

/** What whoever sends a context should know of its rules, which leave out less than they seem to. */
export function ignoreWarnings({ root, dockerfile }: Context): string[] {
  const { braced } = ignoreOf(root, dockerfile);
  const some = braced.slice(0, 3).map((rule) => `“${rule.slice(0, 60)}”`);
  return braced.length === 0
    ? []
    : [
        `Braces choose nothing in .dockerignore: ${some.join(', ')} leaves out only what is named so. Write a line for each.`,
      ];
}

export type Entry = { path: string; kind: 'file' | 'link' | 'folder' };

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/** What `.dockerignore` leaves, in an order that is always the same. Links are links: nothing from outside gets in. */
export function* entriesOf({ root, dockerfile }: Context): Generator<Entry> {
  const ignore = ignoreOf(root, dockerfile);
  const listed = (folder: string, inMatched: boolean) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort(byName);
    return { prefix: folder === '' ? '' : `${folder}/`, entries: entries.values(), inMatched };
  };
  // The folders that lead to where we are; a generator within a generator would hand each entry through all of them.
  const open = [listed('', false)];
  for (let here = open.at(-1); here; here = open.at(-1)) {
    const { done, value: entry } = here.entries.next();
    if (done) {
      open.pop();
      continue;
    }
    const path = here.prefix + entry.name;
    const mayMatch = here.inMatched || ignore.mayMatch(entry.name);
    const ignored = mayMatch && ignore.ignores(path);
    if (entry.isDirectory()) {
      if (ignored && !ignore.mayHold(path)) continue;
      if (!ignored) yield { path, kind: 'folder' };
      open.push(listed(path, mayMatch));
    } else if (path === dockerfile || !ignored) {
      if (entry.isFile()) yield { path, kind: 'file' };
      else if (entry.isSymbolicLink()) yield { path, kind: 'link' };
    }
  }
}
