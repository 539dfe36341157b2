import { isObject, type Json, type JsonObject, text } from './json.ts';
import type { Change } from './plan.ts';
import { mask, type SecretSettings, soundsSecret } from './secret-names.ts';
import { holdsToken, looksSecret } from './secret-shapes.ts';

/** Where values stand that people give names to: in ConfigMaps, in requests, in containers. */
const named = new Set(['data', 'stringData', 'variables', 'files', 'env', 'environment']);
/** So much of a value is looked at for how it looks; a longer one is no single secret, and is rid of those in it later. */
const looked = 20_000;
const pair = /^([A-Za-z_][\w.-]{0,252})=([\s\S]+)$/;

/** Whether a value is one that nobody is shown: by its name, or by how it looks. */
export const isSecret = (name: string, value: unknown, settings?: SecretSettings): boolean =>
  typeof value === 'string' &&
  value !== '' &&
  value !== mask &&
  !settings?.shown.includes(name) &&
  (soundsSecret(name, settings) || looksSecret(value.slice(0, looked)));

/** A Secret with values in it. Taking keys away (null) tells nothing. */
export const isFilledSecret = ({ kind, data, stringData }: JsonObject): boolean =>
  kind === 'Secret' &&
  [data, stringData].some((values) => isObject(values) && Object.values(values).some((value) => value !== null));

/** `{ name: DB_PASS, value: … }`, as pods have their variables. */
const isSecretVariable = (value: JsonObject, settings?: SecretSettings) =>
  typeof value.name === 'string' && isSecret(value.name, value.value, settings);

/**
 * Whether there is a secret value anywhere: a Secret, also within a List or another object; a variable, a key of a ConfigMap or
 * `NAME=VALUE` that sounds or looks like one; a token of a known form in any text.
 */
export function holdsSecret(value: unknown, settings?: SecretSettings): boolean {
  if (typeof value === 'string') return holdsToken(value);
  if (Array.isArray(value))
    return value.some((each) => {
      const [, name = '', inside] = typeof each === 'string' ? (pair.exec(each) ?? []) : [];
      return (inside !== undefined && isSecret(name, inside, settings)) || holdsSecret(each, settings);
    });
  if (!isObject(value)) return false;
  if (isFilledSecret(value) || isSecretVariable(value, settings)) return true;
  return Object.entries(value).some(([key, each]) => {
    if (named.has(key) && isObject(each) && Object.entries(each).some(([name, one]) => isSecret(name, one, settings)))
      return true;
    return holdsSecret(each, settings);
  });
}

/** The same value without what nobody is shown. */
export function withoutSecrets(value: Json, settings?: SecretSettings, isNamed = false): Json {
  if (Array.isArray(value))
    return value.map((each) => {
      const [, name = '', inside] = typeof each === 'string' ? (pair.exec(each) ?? []) : [];
      if (inside !== undefined && isSecret(name, inside, settings)) return `${name}=${mask}`;
      return withoutSecrets(each, settings);
    });
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, each]): [string, Json] => [
    key,
    isNamed && isSecret(key, each, settings) ? mask : withoutSecrets(each, settings, named.has(key)),
  ]);
  return { ...Object.fromEntries(entries), ...(isSecretVariable(value, settings) && { value: mask }) };
}

/** `…env[DB_PASS].value`, `data.DB_PASS`, `container/web env.DB_PASS`: the name that a value has. */
function nameIn(path: string): string | undefined {
  const variable = path.endsWith('].value') ? path.slice(path.lastIndexOf('[') + 1, -'].value'.length) : undefined;
  if (variable !== undefined) return variable;
  const parts = path.split(/[ .]/);
  const at = parts.findIndex((part) => named.has(part));
  return at < 0 || at + 1 >= parts.length ? undefined : parts.slice(at + 1).join('.');
}

/** A change as people are shown it: that a secret value changes is seen, the value is not. */
export function maskedChange(change: Change, settings?: SecretSettings): Change {
  const { path, from, to } = change;
  const name = nameIn(path);
  const hides = name !== undefined && [from, to].some((side) => isSecret(name, side, settings));
  const shown = (side: Json) => (hides ? mask : withoutSecrets(side, settings));
  return {
    path,
    ...(from !== undefined && { from: shown(from) }),
    ...(to !== undefined && { to: hides && from !== undefined && text(to) !== mask ? `${mask} (changed)` : shown(to) }),
  };
}
