import type { Difference } from '../../core/diff.ts';
import { Fault, fault } from '../../core/errors.ts';
import { type ApplicationName, applicationOf, fought, sourceOf } from '../../core/gitops.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { type ListTypes, wholeLists } from '../../core/list-types.ts';
import type { Permission } from '../../core/operation.ts';
import { some } from '../../core/some.ts';

/** Applications live in another namespace than what they make. Where this is not given, plans say that they don't know. */
export const gitOpsPermissions: readonly Permission[] = ['list applications.argoproj.io everywhere'];

const notThere = new Set(['UNKNOWN_KIND', 'CLUSTER_FORBIDDEN', 'CLUSTER_REFUSED']);

async function readApplication(
  kube: Kube,
  wanted: ApplicationName,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const kind = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' };
  const fields = `metadata.name=${wanted.name}`;
  try {
    const found = await kube.list({ ...kind, namespace: '', fields }, signal);
    const there = ({ metadata }: JsonObject) => text(at(metadata, 'namespace')) === wanted.namespace;
    // Of two with the same name and no word of the namespace it could be either.
    return wanted.namespace === undefined ? (found.length === 1 ? found[0] : undefined) : found.find(there);
  } catch (thrown) {
    if (thrown instanceof Fault && notThere.has(thrown.code)) return undefined;
    throw thrown;
  }
}

const few = (fields: readonly string[]) => some(fields, 3);

function warningOf(name: string, application: string, fields: readonly string[], source: string): string {
  const where = source === '' ? 'in Git' : `in Git (${source})`;
  const what = fields.includes('') ? 'it' : few(fields);
  return `${name} belongs to the Argo CD application ${application}: its next sync puts ${what} back. Change that ${where} as well.`;
}

/** An object as it is, and what would change of it. */
type Looked = { before?: JsonObject; changes: readonly Difference[]; lists?: ListTypes };

/**
 * Looks whether Argo CD would undo changes; each application is asked for once. What it gives back is a warning for the
 * plan. @throws Fault MANAGED_BY_GIT where it would be undone at once
 */
export function gitOpsGuard(kube: Kube, signal: AbortSignal) {
  const known = new Map<string, Promise<JsonObject | undefined>>();
  return async ({ before: live, changes, lists = wholeLists }: Looked): Promise<string[]> => {
    const wanted = live && applicationOf(live);
    if (!live || !wanted || changes.length === 0) return [];
    const id = `${wanted.namespace ?? ''}/${wanted.name}`;
    const asked = known.get(id) ?? readApplication(kube, wanted, signal);
    known.set(id, asked);
    const application = await asked;
    const found = fought(application, live, changes, lists);
    const name = `${text(live.kind)}/${text(at(live, 'metadata', 'name'))}`;
    const source = sourceOf(application);
    switch (found.kind) {
      case 'no':
        return [];
      case 'at-once': {
        const where = source === '' ? '' : ` (${source})`;
        throw fault('MANAGED_BY_GIT', { name, application: wanted.name, fields: few(found.fields), where });
      }
      case 'at-sync':
        return [warningOf(name, wanted.name, found.fields, source)];
      case 'unknown': {
        const unknown = 'Shipmate may not see that application, so it does not know how soon.';
        return [`${warningOf(name, wanted.name, found.fields, source)} ${unknown}`];
      }
      default:
        return found satisfies never;
    }
  };
}
