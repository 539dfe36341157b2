import { environmentEntry } from '../../core/apps.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { type Kube, refOf } from '../../core/kube.ts';
import type { Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Settings } from '../../core/settings.ts';
import { contentsOf, environmentMark, markFor, namespaceManifest, unseen } from '../kubernetes/new-namespace.ts';
import { nameOf, planWrites } from '../kubernetes/writes.ts';
import type { Foreseen } from './change.ts';

/**
 * What makes an environment, or makes it whole where only its namespace is there, as a plan has it. `manifests` is all of it that
 * is missing, in the order in which it is made.
 */
export type NewEnvironment = Required<Pick<Draft, 'changes' | 'writes' | 'touches'>> & {
  isThere: boolean;
  manifests: JsonObject[];
};

/**
 * What it takes to make an environment that a pattern covers: its namespace where it is used for the first time, and what the
 * template puts into it. A namespace that bears the mark was made for it, and what it lacks of that was never made: whoever made
 * the namespace was stopped. What is there stays as it is. The policy is asked for namespace-create there besides.
 * @returns undefined where nothing is missing, the namespace is of people's making, or the environment is written out by name
 * @throws Fault NAMESPACE_OF_OTHERS for a namespace that was made for another environment; NAMESPACE_GOES
 */
export async function newEnvironment(
  kube: Kube,
  settings: Settings,
  { env, namespace }: Pick<Place, 'env' | 'namespace'>,
  signal: AbortSignal,
): Promise<NewEnvironment | undefined> {
  const entry = environmentEntry(settings, env);
  if (!entry || entry.key === env) return undefined;
  const template = settings.namespaceTemplate;
  const manifest = namespaceManifest(namespace, template, markFor(settings, env));
  const touches = [{ env, operations: ['namespace-create'] }];
  const contents = contentsOf(namespace, template);
  const live = await kube.read(refOf(manifest), signal);
  if (!live) {
    const manifests = [manifest, ...contents];
    return { ...unseen(manifests), touches, manifests, isThere: false };
  }
  if (at(live, 'metadata', 'deletionTimestamp') !== undefined) throw fault('NAMESPACE_GOES', { namespace });
  const madeFor = text(at(live, 'metadata', 'labels', environmentMark));
  if (madeFor === '') return undefined;
  if (madeFor !== env) {
    const why = `it was made for the environment “${madeFor}” (label ${environmentMark})`;
    throw fault('NAMESPACE_OF_OTHERS', { env, namespace, pattern: entry.key, why });
  }
  const found = await Promise.all(contents.map((each) => kube.read(refOf(each), signal)));
  const manifests = contents.filter((_, n) => !found[n]);
  if (manifests.length === 0) return undefined;
  const wishes = manifests.map((each) => ({ kind: 'create' as const, manifest: each }));
  const { changes, writes } = await planWrites(kube, wishes, signal);
  return { changes, writes, touches, manifests, isThere: true };
}

const namesOf = (manifests: readonly JsonObject[]) => manifests.map((each) => nameOf(refOf(each))).join(', ');

/** A plan with what its environment lacks, which is made first. */
export function madeWhole(made: NewEnvironment | undefined, planned: Foreseen['planned']): Foreseen['planned'] {
  // What makes the environment itself is in the plan of its first workload.
  if (!made?.isThere) return planned;
  const { changes, writes, touches, manifests } = made;
  const warning = `The environment was not made whole: what it lacks of namespaceTemplate is made first (${namesOf(manifests)}).`;
  return {
    ...planned,
    touches: [...touches, ...(planned.touches ?? [])],
    changes: [...changes, ...planned.changes],
    writes: [...writes, ...(planned.writes ?? [])],
    warnings: [warning, ...(planned.warnings ?? [])],
  };
}

/** A workload, the last of the manifests, as the first in an environment, which is made before it. */
export function withWorkload(made: NewEnvironment, manifests: readonly JsonObject[], warnings: readonly string[]) {
  const first = unseen(manifests);
  const after = manifests.at(-1) ?? {};
  const { namespace } = refOf(after);
  const warning = `The namespace ${namespace} is not there yet, so the API server could not try out what comes into it.`;
  const planned = {
    touches: made.touches,
    changes: [...made.changes, ...first.changes],
    writes: [...made.writes, ...first.writes],
    takesOver: [],
    warnings: [warning, ...warnings],
  };
  return { planned, after };
}

/**
 * Of several apps at once each would make it, and what was approved of the second would not be what it finds.
 * @throws Fault ENVIRONMENT_NEW, NAMESPACE_OF_OTHERS, NAMESPACE_GOES
 */
export async function checkEnvironmentThere(...asked: Parameters<typeof newEnvironment>): Promise<void> {
  const [, , { env, namespace }] = asked;
  const made = await newEnvironment(...asked);
  if (!made) return;
  const how = made.isThere ? 'deploy one of them alone' : `/ship namespace create ${namespace} in ${env}`;
  throw fault('ENVIRONMENT_NEW', { env, lacks: namesOf(made.manifests), how });
}
