/** A text of several files, as YAML documents: each begins with the line `--- # file: NAME`. */
export type NamedText = { name: string; text: string };

/** A message bears ten files; what has many more such lines is read as one text. */
const mostFiles = 20;
const begins = /^--- # file: (.+)$/m;

/** Joins files into one text of several documents; one file is its own text. */
export function joinDocuments(files: readonly NamedText[]): string {
  const [only, ...others] = files;
  if (only && others.length === 0) return only.text;
  return files.map(({ name, text }) => `--- # file: ${name.replace(/\s+/g, ' ')}\n${text.trimEnd()}\n`).join('');
}

/** The files of a joined text, so that what is wrong can be told by file and line; undefined where it is one text. */
export function splitDocuments(joined: string): NamedText[] | undefined {
  const [before = '', ...parts] = joined.split(begins);
  if (before !== '' || parts.length === 0 || parts.length > 2 * mostFiles) return undefined;
  return Array.from({ length: parts.length / 2 }, (_, index) => ({
    name: parts[2 * index] ?? '',
    text: (parts[2 * index + 1] ?? '').replace(/^\n/, ''),
  }));
}
