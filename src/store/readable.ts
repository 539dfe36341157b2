import { z } from 'zod';
import { Fault, fault } from '../core/errors.ts';

/** What is wrong with a text: where, and never the value. */
export function problemOf(thrown: z.ZodError | SyntaxError): string {
  if (thrown instanceof SyntaxError) return 'is not JSON';
  const problems = thrown.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  return problems.join('; ').slice(0, 300);
}

/** A text as what it should be, or what is wrong with it. */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
): { is: z.output<Schema> } | { problem: string } {
  try {
    return { is: schema.parse(JSON.parse(text)) };
  } catch (thrown) {
    if (thrown instanceof z.ZodError || thrown instanceof SyntaxError) return { problem: problemOf(thrown) };
    throw thrown;
  }
}

/** A record as it is stored under `about`, its key and field. @throws Fault RECORD_UNREADABLE */
export function asStored<Schema extends z.ZodType>(schema: Schema, text: string, about: string): z.output<Schema> {
  const found = parsed(schema, text);
  if ('is' in found) return found.is;
  throw fault('RECORD_UNREADABLE', { about, problem: found.problem });
}

/** For lists: one record that cannot be read does not stop all others from being read. */
export function leftOut(thrown: unknown): undefined {
  if (thrown instanceof Fault && thrown.code === 'RECORD_UNREADABLE') return undefined;
  throw thrown;
}
