import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { isObject, type JsonObject, text } from '../../core/json.ts';
import { problemOf } from './syntax-words.ts';
import { createValues, Unreadable } from './values.ts';

/** One object of a manifest, and the line where it begins. */
export type Entry = { object: JsonObject; line: number };

/** What a text says, or what is wrong with it in words that say where. */
export type Reading = { kind: 'objects'; entries: Entry[] } | { kind: 'bad'; problem: string };

export const most = { bytes: 1_048_576, documents: 200 };

const bad = (problem: string): Reading => ({ kind: 'bad', problem });

/**
 * YAML as kubectl reads it (1.1: `yes` is true, `0644` is octal), but for times, binary and other tags, which no manifest
 * has. Duplicate keys are found by ourselves: the library would take a minute for a map of 40,000 keys.
 */
const options = (lineCounter: LineCounter) =>
  ({
    version: '1.1',
    schema: 'yaml-1.1',
    uniqueKeys: false,
    prettyErrors: false,
    strict: true,
    logLevel: 'silent',
    lineCounter,
    customTags: (tags) =>
      tags.filter(
        (tag) =>
          typeof tag === 'string' || !(tag.format === 'TIME' || /(timestamp|binary|omap|pairs|set)$/.test(tag.tag)),
      ),
  }) satisfies Parameters<typeof parseAllDocuments>[1];

/** `kubectl get -o yaml` makes a List of several objects. */
function flattened({ object, line }: Entry): Entry[] {
  const { kind, items } = object;
  if (!text(kind).endsWith('List') || !Array.isArray(items)) return [{ object, line }];
  return items.filter(isObject).map((item) => ({ object: item, line }));
}

/** What every object must have for anybody to know what it is. */
function shapeProblem({ object, line }: Entry): string | undefined {
  const { apiVersion, kind, metadata } = object;
  const where = `line ${line}`;
  if (typeof kind !== 'string' || kind === '') return `${where}: an object without a kind.`;
  if (typeof apiVersion !== 'string' || apiVersion === '') return `${where}: ${kind} has no apiVersion.`;
  if (!isObject(metadata)) return `${where}: ${kind} has no metadata.`;
  if (typeof metadata.name === 'string' && metadata.name !== '') return undefined;
  if (metadata.generateName !== undefined)
    return `${where}: ${kind} has a generateName, and would be made anew each time. Give it a name.`;
  return metadata.name === undefined
    ? `${where}: ${kind} has no name.`
    : `${where}: the name of ${kind} must be a text; write it in quotes.`;
}

function documentsOf(text: string, lines: LineCounter): Document[] {
  const found = parseAllDocuments(text, options(lines));
  return Array.isArray(found) ? [...found] : [];
}

function entriesOf(documents: readonly Document[], text: string, lines: LineCounter): Reading {
  const values = createValues(lines);
  const entries: Entry[] = [];
  for (const document of documents) {
    const problem = [...document.errors, ...document.warnings][0];
    if (problem) return bad(problemOf(problem, text, lines));
    const value = values.of(document);
    if (value === null) continue;
    const line = lines.linePos(document.contents?.range?.[0] ?? 0).line;
    if (!isObject(value))
      return bad(`line ${line}: a document that is no object, but ${JSON.stringify(value).slice(0, 40)}.`);
    entries.push(...flattened({ object: value, line }));
  }
  if (entries.length === 0) return bad('There is no object in it.');
  if (entries.length > most.documents) return bad(`It has ${entries.length} objects; ${most.documents} is the most.`);
  const wrong = entries.map(shapeProblem).filter((each) => each !== undefined);
  return wrong.length > 0 ? bad(wrong.slice(0, 10).join(' ')) : { kind: 'objects', entries };
}

/** Reads YAML or JSON, also several documents. Never throws, whatever the text; it may take long (see `readApart`). */
export function readManifest(text: string): Reading {
  if (Buffer.byteLength(text) > most.bytes) return bad('It is larger than 1 MiB.');
  const marks = text.match(/^(---|\.\.\.)(\s|$)/gm)?.length ?? 0;
  if (marks > 2 * most.documents) return bad(`It has more than ${most.documents} documents.`);
  const lines = new LineCounter();
  try {
    return entriesOf(documentsOf(text, lines), text, lines);
  } catch (thrown) {
    if (thrown instanceof Unreadable) return bad(thrown.message);
    if (thrown instanceof RangeError) return bad('It is nested too deeply.');
    return bad(`It cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}
