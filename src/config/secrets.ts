import { readFileSync } from 'node:fs';
import { fault } from '../core/errors.ts';
import type { SecretRef } from '../core/image-settings.ts';
import { type VariableName, variables } from './variables.ts';

const largest = 65_536;

/** Shipmate's own secrets are for nobody's builds. */
const isOwn = (name: string): name is VariableName => Object.hasOwn(variables, name);

/** The value that a secret's place holds now, so that one that was renewed counts at once. @throws Fault BAD_INPUT */
export function readSecret(ref: SecretRef, env: Readonly<Record<string, string | undefined>>): string {
  const missing = (problem: string, cause?: unknown) => fault('BAD_INPUT', { problem }, cause);
  if ('env' in ref) {
    if (isOwn(ref.env)) throw missing(`The variable ${ref.env} is Shipmate’s own: it is given to nobody.`);
    const value = env[ref.env];
    if (value === undefined || value === '')
      throw missing(`The variable ${ref.env}, which shipmate.yaml names for a secret, is not set here.`);
    return value;
  }
  try {
    const text = readFileSync(ref.file, 'utf8');
    if (text.length > largest) throw new Error('it is larger than 64 KiB');
    return text.replace(/\r?\n$/, '');
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw missing(`The file ${ref.file}, which shipmate.yaml names for a secret, cannot be read (${why}).`, thrown);
  }
}
