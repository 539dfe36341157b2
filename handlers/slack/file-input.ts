import { joinDocuments, type NamedText } from '../../src/core/documents.ts';
import { fault } from '../../src/core/errors.ts';
import type { Attached } from '../../src/core/fields.ts';
import type { Catalogue, Operation } from '../../src/core/operation.ts';
import { spoken } from './grammar.ts';
import { runCommands } from './run-commands.ts';

export type AttachedField = { name: string; attached: Attached };

function fieldOf(operation: Operation | undefined): AttachedField | undefined {
  for (const [name, { attached }] of operation?.fields ?? []) if (attached) return { name, attached };
  return undefined;
}

/**
 * The field that attached files go into; undefined where there is nothing of that name.
 * @throws Fault BAD_INPUT where it takes no files
 */
export function attachedField(catalogue: Catalogue, name: string): AttachedField | undefined {
  const field = fieldOf(catalogue.get(name));
  const known = catalogue.has(name) || Object.hasOwn(runCommands, name) || name === 'undo';
  if (field || !known) return field;
  const takers = [...catalogue.values()].filter(fieldOf).map((operation) => spoken(operation.name));
  throw fault('BAD_INPUT', { problem: `“${spoken(name)}” takes no attached file; ${takers.join(', ')} do.` });
}

function byName(files: readonly NamedText[]): Record<string, string> {
  const twice = files.find(({ name }, index) => files.findIndex((other) => other.name === name) < index);
  if (twice) throw fault('BAD_INPUT', { problem: `Two attached files have the name “${twice.name}”.` });
  return Object.fromEntries(files.map(({ name, text }) => [name, text]));
}

/** Puts files into the input that was said. @throws Fault BAD_INPUT where the line gave that field too, or a name comes twice */
export function withFiles(
  input: Record<string, unknown>,
  { name, attached }: AttachedField,
  files: readonly NamedText[],
): Record<string, unknown> {
  if (input[name] !== undefined) throw fault('BAD_INPUT', { problem: `Give ${name}=… or attach a file, not both.` });
  const value = attached === 'by-name' ? byName(files) : joinDocuments(files);
  return { ...input, [name]: value };
}
