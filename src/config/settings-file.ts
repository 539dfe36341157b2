import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { at, isObject, Json } from '../core/json.ts';
import { didYouMean } from '../core/near.ts';
import { Settings } from '../core/settings.ts';
import { readGiven, UnfitFile } from '../files/regular-file.ts';
import { ConfigurationError } from './configuration-error.ts';
import { crossFaults } from './settings-faults.ts';
import { aliasFault, type Source, syntaxFaults } from './syntax-faults.ts';
import type { SettingsFault } from './unknown-names.ts';

const longest = 1_048_576;
/** No letter takes more bytes in UTF-8 than so many for each unit of a string. */
const mostBytes = 3 * longest;

/** So many faults are shown at once. */
const mostFaults = 10;

/** The place of a path in the file: its own, or that of the nearest thing around it that is there. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last))
      : undefined;
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const pathText = (path: readonly PropertyKey[]) =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text && '.'}${String(key)}`),
    '',
  );

function located({ name, document, lines }: Source, { path, problem }: SettingsFault): string {
  const { line } = lines.linePos(offsetOf(document, path));
  return `${name}:${line} ${path.length === 0 ? '' : `${pathText(path)}: `}${problem}`;
}

/** The fields that the settings know at a path, for “did you mean”. */
function knownFields(path: readonly PropertyKey[]): string[] {
  const form = Json.parse(JSON.parse(JSON.stringify(z.toJSONSchema(Settings, { io: 'input' }))));
  const below = (here: Json | undefined, key: PropertyKey) =>
    at(here, 'properties', String(key)) ?? at(here, 'additionalProperties') ?? at(here, 'items');
  const fields = at(path.reduce(below, form), 'properties');
  return isObject(fields) ? Object.keys(fields) : [];
}

/** What belongs where something else stands, in the words of whoever writes the file. */
const belongs: Partial<Record<string, string>> = {
  record: 'entries by name belong here (“NAME: …”)',
  object: 'settings belong here (“NAME: …”)',
  array: 'a list belongs here (“- …”, or “[…]”)',
  string: 'a text belongs here',
  number: 'a number belongs here',
  int: 'a whole number belongs here',
  boolean: 'true or false belongs here',
};

const stands: Partial<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

/** A `{app}` that stands alone and without quotes: YAML reads a mapping with one key. */
function loneBlank(document: Document, path: readonly PropertyKey[]): string | undefined {
  const node = document.getIn(path, true);
  const [pair, ...others] = isMap(node) ? node.items : [];
  return pair && pair.value === null && others.length === 0 && isScalar(pair.key) ? `{${pair.key.value}}` : undefined;
}

function typeProblem({ expected, message, path }: z.core.$ZodIssueInvalidType, document: Document): string {
  const blank = expected === 'string' ? loneBlank(document, path) : undefined;
  if (blank !== undefined) return `what has braces in it must be in quotes: '${blank}'.`;
  const said = message.replace(/^Invalid input: /, '');
  const [, received = ''] = /received (\w+)$/.exec(said) ?? [];
  const wanted = belongs[expected];
  if (wanted === undefined) return `${said}.`;
  return received === 'null' ? `is empty: ${wanted}.` : `is ${stands[received] ?? 'something else'}: ${wanted}.`;
}

function faultsOf(issue: z.core.$ZodIssue, document: Document): SettingsFault[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        problem: `there is no such setting.${didYouMean(key, knownFields(path))}`,
      }));
    case 'invalid_key':
      return [{ path, problem: `the name ${issue.issues.map(({ message }) => message).join(', ')}.` }];
    case 'invalid_type':
      return [{ path, problem: document.hasIn(path) ? typeProblem(issue, document) : 'is missing.' }];
  }
  return [{ path, problem: `${issue.message.replace(/^Invalid (input|option): /, '')}.` }];
}

function parse(source: Source, operations: readonly string[]): Settings {
  const { name, document } = source;
  const fail = (faults: string[]) => {
    const more = faults.length - mostFaults;
    const shown = faults.slice(0, mostFaults);
    return new ConfigurationError(`${name} is not right`, [...shown, ...(more > 0 ? [`and ${more} more.`] : [])]);
  };
  if (document.errors.length > 0) throw fail(syntaxFaults(source));
  const data = dataOf(source);
  const parsed = Settings.safeParse(data);
  if (!parsed.success)
    throw fail(parsed.error.issues.flatMap((issue) => faultsOf(issue, document)).map((each) => located(source, each)));
  const faults = crossFaults(parsed.data, operations);
  if (faults.length > 0) throw fail(faults.map((each) => located(source, each)));
  return parsed.data;
}

/** An alias is resolved a hundred times at most: a few lines of aliases of aliases would else fill the memory. */
function dataOf(source: Source): unknown {
  try {
    return source.document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (thrown) {
    throw new ConfigurationError(`${source.name} is not right`, [aliasFault(source, thrown)]);
  }
}

/** The text of a key stays; a file's path is made whole. */
const keyFrom = (folder: string) => (key: string) => (key.includes('-----BEGIN ') ? key : resolve(folder, key));

/** Build contexts, kubeconfigs and public keys are meant from where the file is, not from where the program was started. */
function withFolders(settings: Settings, folder: string): Settings {
  const apps = Object.entries(settings.apps).map(([name, app]) => [
    name,
    app.build && app.build.git === undefined
      ? { ...app, build: { ...app.build, context: resolve(folder, app.build.context) } }
      : app,
  ]);
  const clusters = Object.entries(settings.clusters).map(([name, { kubeconfig, ...rest }]) => [
    name,
    { ...rest, ...(kubeconfig !== undefined && { kubeconfig: resolve(folder, kubeconfig) }) },
  ]);
  const from = (path: string) => resolve(folder, path);
  const dockerHosts = Object.entries(settings.dockerHosts).map(([name, { tls, ssh, ...rest }]) => [
    name,
    {
      ...rest,
      ...(tls && { tls: { ca: from(tls.ca), cert: from(tls.cert), key: from(tls.key) } }),
      ...(ssh && {
        ssh: {
          ...(ssh.key !== undefined && { key: from(ssh.key) }),
          ...(ssh.knownHosts !== undefined && { knownHosts: from(ssh.knownHosts) }),
        },
      }),
    },
  ]);
  const environments = Object.entries(settings.environments).map(([name, { verify, ...rest }]) => [
    name,
    { ...rest, ...(verify && { verify: { ...verify, keys: verify.keys.map(keyFrom(folder)) } }) },
  ]);
  return {
    ...settings,
    apps: Object.fromEntries(apps),
    clusters: Object.fromEntries(clusters),
    dockerHosts: Object.fromEntries(dockerHosts),
    environments: Object.fromEntries(environments),
    builds: { ...settings.builds, folders: settings.builds.folders.map(from) },
  };
}

/**
 * Reads `shipmate.yaml`'s text. `operations` are the catalogue's names, which rules may speak of.
 * @throws ConfigurationError with all faults at once, up to ten, each with its line
 */
export function parseSettings(
  text: string,
  file: { name: string; folder: string },
  operations: readonly string[],
): Settings {
  if (text.length > longest) throw new ConfigurationError(`${file.name} is not right`, ['It is larger than 1 MiB.']);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  return withFolders(parse({ name: file.name, text, document, lines }, operations), file.folder);
}

/** The text of the settings file: a link may lead to it, as in a ConfigMap. @throws ConfigurationError */
export function settingsText(path: string): string {
  try {
    return readGiven(path, mostBytes).toString('utf8');
  } catch (thrown) {
    if (thrown instanceof UnfitFile) throw new ConfigurationError(`${path} is not right`, [`It ${thrown.message}.`]);
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ConfigurationError('shipmate.yaml cannot be read', [
      `${problem}. Copy shipmate.example.yaml, or set SHIPMATE_CONFIG to the file’s path.`,
    ]);
  }
}

/** Reads and checks the settings file. @throws ConfigurationError */
export async function readSettings(path: string, operations: readonly string[]): Promise<Settings> {
  return parseSettings(settingsText(path), { name: path, folder: dirname(resolve(path)) }, operations);
}
