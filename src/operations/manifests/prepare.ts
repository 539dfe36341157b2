import { Fault, fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import type { Kind } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import type { PlanContext } from '../../core/operation.ts';
import { denialOf, kindHint, nameProblem, rankOf } from './rules.ts';
import { setLabels } from './sets.ts';
import { type Sourced, whereOf } from './source.ts';

/** An object as it is to be applied. `kind.apiVersion` is empty where the manifest itself brings the definition. */
export type Prepared = Sourced & { kind: Kind; defined: boolean };

const key = (apiVersion: unknown, kind: unknown) => `${text(apiVersion)} ${text(kind)}`;

const isDefinition = ({ apiVersion, kind }: JsonObject) =>
  kind === 'CustomResourceDefinition' && text(apiVersion).startsWith('apiextensions.k8s.io/');

/** Kinds that the manifest defines itself, in its CustomResourceDefinitions: a word that counts only where the cluster has none. */
function definitionsOf(entries: readonly Sourced[]): Map<string, Kind> {
  const found = new Map<string, Kind>();
  for (const { object } of entries) {
    if (!isDefinition(object)) continue;
    const [group, kind] = [text(at(object, 'spec', 'group')), text(at(object, 'spec', 'names', 'kind'))];
    const versions = at(object, 'spec', 'versions');
    for (const version of Array.isArray(versions) ? versions.filter(isObject) : []) {
      const apiVersion = `${group}/${text(version.name)}`;
      const plural = text(at(object, 'spec', 'names', 'plural'));
      const wide = at(object, 'spec', 'scope') === 'Cluster' && { clusterWide: true as const };
      found.set(key(apiVersion, kind), { kind, apiVersion, plural, ...wide });
    }
  }
  return found;
}

type Found = { kind: Kind; defined: boolean } | { problem: string };

/** What the cluster says of a kind stands: a manifest may bring a definition for it, and say there whatever it likes. */
async function kindFor(kube: Kube, object: JsonObject, own: Map<string, Kind>, signal: AbortSignal): Promise<Found> {
  const of = { apiVersion: text(object.apiVersion), kind: text(object.kind) };
  try {
    return { kind: await kube.kindOf(of, signal), defined: false };
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'UNKNOWN_KIND') throw thrown;
    const mine = own.get(key(of.apiVersion, of.kind));
    if (mine) return { kind: mine, defined: true };
    return { problem: `is not known: the cluster has no ${of.kind} in ${of.apiVersion}.${kindHint(of)}` };
  }
}

/**
 * A Secret as the API server keeps it. What is applied as `stringData` is nobody's field afterwards: a key that is left out
 * the next time would stay for ever.
 */
function asKept(object: JsonObject): JsonObject {
  const { stringData, ...rest } = object;
  if (
    object.kind !== 'Secret' ||
    !isObject(stringData) ||
    !Object.values(stringData).every((value) => typeof value === 'string')
  )
    return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(text(value)).toString('base64')]);
  return { ...rest, data: { ...(isObject(rest.data) ? rest.data : {}), ...Object.fromEntries(encoded) } };
}

function inPlace(object: JsonObject, kind: Kind, namespace: string, set: string | undefined): JsonObject {
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const { namespace: _, ...rest } = metadata;
  const where: JsonObject = kind.clusterWide ? rest : { ...rest, namespace };
  const labels = { ...(isObject(rest.labels) ? rest.labels : {}), ...setLabels(set ?? '') };
  return { ...object, metadata: set === undefined ? where : { ...where, labels } };
}

function refusal(problems: readonly string[]): Fault {
  const rest = problems.length - 10;
  const shown = [...problems.slice(0, 10), ...(rest > 0 ? [`And ${rest} more.`] : [])];
  return fault('BAD_INPUT', { problem: `The manifest is not right. ${shown.join(' ')}` });
}

/**
 * The objects in the order of their application, in the environment's namespace.
 * @throws Fault BAD_INPUT with all that is wrong at once; POLICY_DENIED for what may not be applied
 */
export async function prepare(
  { settings, site, signal }: Pick<PlanContext<'kube'>, 'settings' | 'site' | 'signal'>,
  kube: Kube,
  entries: readonly Sourced[],
  set: string | undefined,
): Promise<Prepared[]> {
  const own = definitionsOf(entries);
  const problems: string[] = [];
  const denials: string[] = [];
  const prepared: Prepared[] = [];
  const seen = new Map<string, Sourced>();
  for (const entry of entries) {
    const found = await kindFor(kube, entry.object, own, signal);
    if ('problem' in found) {
      problems.push(`${whereOf(entry)} ${found.problem}`);
      continue;
    }
    const problem = nameProblem(entry.object, found.kind, site.namespace);
    const denial = denialOf(entry.object, found.kind, site.env, settings.manifests);
    const address = `${key(entry.object.apiVersion, entry.object.kind)} ${text(at(entry.object, 'metadata', 'name'))}`;
    const twin = seen.get(address);
    if (problem !== undefined) problems.push(`${whereOf(entry)} ${problem}.`);
    if (denial !== undefined) denials.push(`${whereOf(entry)} ${denial}.`);
    if (twin) problems.push(`${whereOf(entry)} is there twice; the first one is in ${whereOf(twin)}.`);
    seen.set(address, entry);
    prepared.push({ ...entry, ...found, object: inPlace(asKept(entry.object), found.kind, site.namespace, set) });
  }
  if (problems.length > 0) throw refusal(problems);
  const hint = 'Nothing was changed. Leave it out, or ask the platform team to apply it or to allow it.';
  if (denials.length > 0) throw fault('POLICY_DENIED', { reason: denials.slice(0, 10).join(' '), hint });
  return prepared.sort((a, b) => rankOf(text(a.object.kind)) - rankOf(text(b.object.kind)));
}
