import { z } from 'zod';

/**
 * What a name says of its value. One catalogue for all: plans, reports, exports, what is refused where nothing is sealed. Rather a
 * harmless value hidden than a secret shown.
 */

/** Wherever they stand in a name, also without anything between: `dbpassword`. */
const telling =
  /token|secret|passw|passphrase|credential|private|api_?key|access_?key|signing_?key|encryption_?key|master_?key|authorization|htpasswd|dockerconfigjson/;
/** As words of their own: `DB_PASS`, `mysql-pwd`. */
const words = new Set([
  'pass',
  'pwd',
  'pw',
  'pin',
  'otp',
  'cred',
  'creds',
  'pat',
  'dsn',
  'salt',
  'pepper',
  'jwt',
  'bearer',
  'cookie',
  'netrc',
  'pgpass',
]);
/** Ends of words: `DBPASS`, `MYSQLPWD`, and what merely ends so. */
const ends = /(?:pass|pwd)$/;
const endsOnly = /(?:^|by|com|tres|sur|encom)pass$/;
/** `SIGNING_KEY` is a secret, `PUBLIC_KEY` and `CACHE_KEY` are none. */
const harmlessKeys = new Set([
  'public',
  'pub',
  'primary',
  'foreign',
  'partition',
  'sort',
  'cache',
  'index',
  'object',
  'config',
  'label',
  'routing',
  'hash',
  'group',
  'lookup',
]);
/** The shell's own, which name folders. */
const harmless = new Set(['pwd', 'oldpwd']);

/** `dbPassword`, `DB_PASSWORD` and `db.password` are all the words db and password. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

function isKey(all: readonly string[]): boolean {
  const at = all.findIndex((word) => word === 'key' || word === 'keys');
  return at === all.length - 1 && at >= 0 && !harmlessKeys.has(all[at - 1] ?? '');
}

/** `secrets` of `shipmate.yaml`: what else sounds secret here, and what does not though it sounds so. */
export const SecretSettings = z.strictObject({
  /** Words of names, such as `licence`: `LICENCE_CODE` is hidden then. */
  names: z
    .array(z.string().regex(/^[A-Za-z0-9]{2,40}$/, 'must be one word of letters and digits'))
    .max(100)
    .default([]),
  /** Whole names that are shown whatever they sound like. */
  shown: z.array(z.string().min(1).max(253)).max(100).default([]),
});
export type SecretSettings = z.output<typeof SecretSettings>;

const none: SecretSettings = { names: [], shown: [] };

/** Whether a name is one that people give to secrets. */
export function soundsSecret(name: string, settings: SecretSettings = none): boolean {
  const short = name.slice(0, 500);
  if (settings.shown.includes(name)) return false;
  const all = wordsOf(short);
  if (harmless.has(all.join('_'))) return false;
  return (
    telling.test(all.join('_')) ||
    isKey(all) ||
    all.at(-1) === 'auth' ||
    all.some((word) => words.has(word) || (ends.test(word) && !endsOnly.test(word))) ||
    settings.names.some((word) => all.includes(word.toLowerCase()))
  );
}

/** What stands in the place of a value that nobody is shown. */
export const mask = '••••••';
