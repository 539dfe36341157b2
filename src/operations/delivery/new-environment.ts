import { environmentEntry } from '../../core/apps.ts';
import { fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Kube, refOf } from '../../core/kube.ts';
import type { Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Settings } from '../../core/settings.ts';
import { contentsOf, namespaceManifest, unseen } from '../kubernetes/new-namespace.ts';

/** On a namespace: the environment of a pattern that it was made for. */
const environmentMark = 'shipmate.dev/environment';

/** What makes an environment, as a plan has it and as it is sent. */
export type NewEnvironment = Required<Pick<Draft, 'changes' | 'writes' | 'touches'>> & { manifests: JsonObject[] };

/**
 * What it takes to make an environment that a pattern covers and that is used for the first time: its namespace, by the template. The
 * policy is asked for namespace-create there besides. Undefined where it is there, or is written out by name.
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
  const manifest = namespaceManifest(namespace, template, { [environmentMark]: env });
  if (await kube.read(refOf(manifest), signal)) return undefined;
  const touches = [{ env, operations: ['namespace-create'] }];
  const manifests = [manifest, ...contentsOf(namespace, template)];
  return { ...unseen(manifests), touches, manifests };
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
 * @throws Fault ENVIRONMENT_NEW
 */
export async function checkEnvironmentThere(...asked: Parameters<typeof newEnvironment>): Promise<void> {
  const [, , { env, namespace }] = asked;
  if (await newEnvironment(...asked)) throw fault('ENVIRONMENT_NEW', { env, namespace });
}
