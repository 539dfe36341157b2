import { isBeside } from '../core/apps.ts';
import { Fault } from '../core/errors.ts';
import { repositoryIn } from '../core/image.ts';
import { at, type JsonObject, text } from '../core/json.ts';
import { knownKind } from '../core/kinds.ts';
import type { Kube } from '../core/kube.ts';
import { didYouMean } from '../core/near.ts';
import { list } from '../core/observed.ts';
import { mainContainer } from '../operations/delivery/app-entry.ts';
import { nameIn } from '../operations/kubernetes/reading.ts';
import { isSystem } from '../operations/workloads/discover.ts';

/** A workload, as an entry under `apps` would tell of it. */
export type Ran = {
  kind: string;
  name: string;
  /** Where its image lies; missing where it can't be read. */
  repository?: string;
  container: string;
  /** Why it may be another container, where there are several. */
  guessed?: string;
};

/** A namespace with what runs there. */
export type Peopled = { name: string; runs: Ran[] };

const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout'] as const;

/** Namespaces of the cluster and of what is usually put into one to run others: nobody ships there. */
const systemic =
  /^(kube-.*|.*-system|istio-.*|cert-manager|ingress-nginx|monitoring|logging|observability|prometheus|grafana|argocd|argo-.*|external-secrets|keda|karpenter|velero|vault|harbor|traefik|linkerd.*|tigera-.*|calico-.*|local-path-storage|shipmate)$/;

/** Namespaces that are read: more are no settings that anybody would write in fifty lines. */
const most = 100;

/** What a cluster refuses or does not have is not there for whoever asks. */
const absent = new Set(['UNKNOWN_KIND', 'CLUSTER_FORBIDDEN']);

async function listed(kube: Kube, kind: (typeof kinds)[number] | 'Namespace', namespace: string, signal: AbortSignal) {
  try {
    return await kube.list({ apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace }, signal);
  } catch (thrown) {
    if (kind === 'Rollout' && thrown instanceof Fault && absent.has(thrown.code)) return [];
    throw thrown;
  }
}

/** What runs pods, or undefined where it is made after something else, kept by an operator, or beside an app for a canary. */
function ranBy(kind: string, object: JsonObject): Ran | undefined {
  const name = nameIn(object);
  const kept = list(at(object, 'metadata', 'ownerReferences')).some(({ controller }) => controller === true);
  if (kept || isSystem(object) || isBeside(name)) return undefined;
  const { main, guessed } = mainContainer(object, [name]);
  const repository = repositoryIn(text(main.image));
  return {
    kind,
    name,
    container: text(main.name),
    ...(repository !== undefined && { repository }),
    ...(guessed !== undefined && { guessed }),
  };
}

async function runsIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<Ran[]> {
  const found = await Promise.all(
    kinds.map(async (kind) => (await listed(kube, kind, namespace, signal)).map((object) => ranBy(kind, object))),
  );
  return found.flat().filter((ran) => ran !== undefined);
}

/** What somebody's own rights hide from them: `otherwise`. */
const unlessForbidden = <Found>(asked: Promise<Found>, otherwise: Found): Promise<Found> =>
  asked.catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return otherwise;
    throw thrown;
  });

/** Namespaces that were named and that there are not, each in a sentence. Who may not look at namespaces is believed. */
export async function missingOf(kube: Kube, named: readonly string[], signal: AbortSignal): Promise<string[]> {
  const refOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name });
  const there = await Promise.all(named.map((name) => unlessForbidden(kube.read(refOf(name), signal), {})));
  const missing = named.filter((_name, index) => there[index] === undefined);
  if (missing.length === 0) return [];
  const known = (await unlessForbidden(listed(kube, 'Namespace', '', signal), [])).map(nameIn);
  return missing.map((name) => `There is no namespace “${name}”.${didYouMean(name, known)}`);
}

/**
 * Reads the namespaces of a cluster, or those that are named, with what runs in each. Nothing is changed.
 * @throws Fault where the cluster does not answer, or does not let its namespaces be listed
 */
export async function survey(kube: Kube, named: readonly string[], signal: AbortSignal): Promise<Peopled[]> {
  const all = named.length > 0 ? named : (await listed(kube, 'Namespace', '', signal)).map(nameIn);
  const meant =
    named.length > 0 ? [...named] : all.filter((name) => name !== '' && !systemic.test(name)).slice(0, most);
  const found: Peopled[] = [];
  // One after the other: whoever begins is in no hurry, and a cluster of others is not to be filled with questions.
  for (const name of meant.sort()) found.push({ name, runs: await runsIn(kube, name, signal) });
  return named.length > 0 ? found : found.filter(({ runs }) => runs.length > 0);
}
