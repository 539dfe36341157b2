import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseSettings } from '../config/settings-file.ts';
import { Fault } from '../core/errors.ts';
import type { Kube } from '../core/kube.ts';
import { Label } from '../core/name-pattern.ts';
import { didYouMean } from '../core/near.ts';
import { after } from '../core/within.ts';
import { catalogue } from '../operations/catalogue.ts';
import { sampleOf } from './apps.ts';
import { proposal, type Workspace } from './proposal.ts';
import { missingOf, survey } from './survey.ts';

/** What `shipmate init` has to do with the world: each only reads, but for `say`. */
export type World = {
  /** The current context of the kubeconfig; empty where there is none. */
  current(): string;
  /** All contexts of the kubeconfig. */
  contexts(): readonly string[];
  /** The cluster of a context. */
  kube(context: string): Kube;
  /** The workspace, where there is a token for it; undefined where it does not say. */
  workspace(signal: AbortSignal): Promise<Workspace | undefined>;
  /** The tags of a repository. @throws Fault where the registry does not tell */
  tags(repository: string, signal: AbortSignal): Promise<string[]>;
  say(line: string): void;
};

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      context: { type: 'string' },
      namespace: { type: 'string', multiple: true, default: [] },
      registry: { type: 'string' },
      output: { type: 'string', default: 'shipmate.yaml' },
    },
  });
  const registry = values.registry?.replace(/^https?:\/\//, '').replace(/(?<!\/)\/+$/, '');
  return { ...values, registry };
}

const isThere = (path: string, mode?: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

const refused = (path: string) => `${path} is there already, and is left as it is. Name another file: --output FILE`;

/** Writes a file that is not there yet; false where somebody was faster. */
async function written(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}

const next = (path: string, text: string): string[] => [
  `${path}: ${text.trimEnd().split('\n').length} lines, of which ${text.split('# guessed').length - 1} are guessed.`,
  '',
  '1. Go through what is marked “guessed”: the people and the channel first.',
  `2. npx shipmate check ${path}`,
  `3. Start Shipmate with SHIPMATE_CONFIG=${path}`,
  '4. /ship apps lists what is known, found and unknown; /ship app adopt KIND/NAME in ENV shows an entry.',
];

/** Whether Shipmate would find images where the pattern leads: asked for one of them. */
async function askRegistry({ tags, say }: World, repository: string, signal: AbortSignal): Promise<void> {
  try {
    say(`The registry knows ${(await tags(repository, signal)).length} tags of ${repository}.`);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    say(`${thrown.message} For credentials set REGISTRY_URL, REGISTRY_USERNAME and REGISTRY_PASSWORD.`);
  }
}

/** What is wrong with what was asked for, before anything is read. */
function problemOf(context: string, namespaces: readonly string[], world: World): string | undefined {
  if (context === '') return 'The kubeconfig has no current context. Name one: --context NAME';
  const contexts = world.contexts();
  const near = didYouMean(context, contexts);
  if (!contexts.includes(context))
    return `The kubeconfig has no context “${context}”.${near} It has: ${contexts.join(', ') || 'none'}.`;
  const bad = namespaces.find((name) => !Label.safeParse(name).success);
  return bad === undefined
    ? undefined
    : `“${bad}” is no name of a namespace: those are up to 63 lower-case letters, digits and “-”.`;
}

/** Writes a first `shipmate.yaml` from a cluster, a registry and a workspace; all of them are only read. */
export async function init(args: readonly string[], world: World): Promise<number> {
  const { context: named, namespace: namespaces, output, registry } = readOptions(args);
  if (await isThere(output)) {
    world.say(refused(output));
    return 1;
  }
  // With the slash a file is none.
  if (!(await isThere(`${dirname(output)}/`, constants.W_OK))) {
    world.say(`There is no folder ${dirname(output)} that can be written to. Make it, or name another: --output FILE`);
    return 1;
  }
  const context = named ?? world.current();
  const wrong = problemOf(context, namespaces, world);
  if (wrong !== undefined) {
    world.say(wrong);
    return 2;
  }
  const whose = named === undefined ? 'the current context' : 'the context';
  world.say(`Reading the cluster of ${whose} “${context}”; nothing is changed there.`);
  const signal = after(120_000);
  const kube = world.kube(context);
  const missing = await missingOf(kube, namespaces, signal);
  if (missing.length > 0) {
    world.say(missing.join('\n'));
    return 2;
  }
  const found = await survey(kube, namespaces, signal);
  const sample = sampleOf(found, registry);
  if (sample !== undefined) await askRegistry(world, sample, signal);
  const workspace = await world.workspace(signal);
  const asked = { context, isNamed: named !== undefined, namespaces, registry };
  const text = proposal(found, workspace, asked);
  parseSettings(text, { name: output, folder: dirname(resolve(output)) }, [...catalogue.keys()]);
  if (!(await written(output, text))) {
    world.say(refused(output));
    return 1;
  }
  for (const line of next(output, text)) world.say(line);
  return 0;
}
