import { fault } from '../core/errors.ts';
import type { SecretRef } from '../core/image-settings.ts';
import { readGiven, UnfitFile } from '../files/regular-file.ts';
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
    return readGiven(ref.file, largest)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    const why = thrown instanceof UnfitFile ? `it ${said}` : said;
    throw missing(`The file ${ref.file}, which shipmate.yaml names for a secret, cannot be read (${why}).`, thrown);
  }
}
