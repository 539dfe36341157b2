import { type Difference, differences } from '../../core/diff.ts';
import { type Edit, edited, isDone, misfit, pathText, same } from '../../core/edits.ts';
import { Fault, fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { below, type ListTypes } from '../../core/list-types.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import type { Draft, Write } from '../../core/plan.ts';
import { foresee } from './foresee.ts';

/** Single fields of an object are to be changed; where it is not there, `base` is made with them. */
export type EditWish = { kind: 'edit'; ref: ObjectRef; edits: readonly Edit[]; base?: JsonObject };
type EditWrite = Omit<Extract<Write, { kind: 'edit' }>, 'answer'>;

/** Stands in an annotation's value for the run that writes it. */
export const thisRun = '{run}';

const tries = 6;

/** Who besides Shipmate has set a field, or the list that it is in. */
function ownersOf(live: JsonObject, { path }: Edit): Draft['takesOver'] {
  const entries = at(live, 'metadata', 'managedFields');
  return (Array.isArray(entries) ? entries : []).filter(isObject).flatMap((entry) => {
    if (entry.manager === 'shipmate' || entry.subresource) return [];
    let here: Json | undefined = entry.fieldsV1;
    const walked: string[] = [];
    for (const step of path) {
      const below: Json | undefined = typeof step === 'string' ? at(here, `f:${step}`) : undefined;
      if (!isObject(below)) break;
      walked.push(String(step));
      here = below;
    }
    const whole = isObject(here) && Object.keys(here).filter((key) => key !== '.').length === 0;
    return walked.length > 0 && (whole || walked.length === path.length)
      ? [{ field: walked.join('.'), manager: text(entry.manager) }]
      : [];
  });
}

function takenOver(live: JsonObject, edits: readonly Edit[]): Draft['takesOver'] {
  const all = edits.filter(({ from, to }) => !same(from, to)).flatMap((edit) => ownersOf(live, edit));
  return [...new Map(all.map((each) => [`${each.field} ${each.manager}`, each])).values()];
}

/** What people are shown: the fields that change, by the names of the entries that they are in. */
function changesOf({ path, from, to }: Edit, lists: ListTypes): Difference[] {
  const inside = (value: Json | undefined): JsonObject => (value === undefined ? {} : { value });
  const fields = path.filter((step) => typeof step === 'string');
  const within: ListTypes = ([, ...more]) => below(lists, fields)(more);
  return differences(inside(from), inside(to), within).map(({ path: inner, ...sides }) => ({
    path: `${pathText(path)}${inner.replace(/^value/, '')}`,
    ...sides,
  }));
}

/** The edits as a merge patch, made of what is there now. */
function patchOf(live: JsonObject, edits: readonly Edit[]): JsonObject {
  const after = edited(live, edits);
  const spec = isObject(live.spec) ? live.spec : {};
  const now = isObject(after.spec) ? after.spec : {};
  const metadata = at(after, 'metadata', 'annotations');
  const before = at(live, 'metadata', 'annotations');
  return { spec: mergePatch(spec, now), metadata: { annotations: mergePatch(object(before), object(metadata)) } };
}

const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** RFC 7386: what differs, where null takes away. */
function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): [string, Json][] => {
      const [from, to] = [before[key], after[key]];
      if (same(from, to)) return [];
      if (to === undefined) return [[key, null]];
      return [[key, isObject(from) && isObject(to) ? mergePatch(from, to) : to]];
    }),
  );
}

/** Finds out by a dry run what comes with a new object; another one of its name is refused. */
export async function planCreate(kube: Kube, manifest: JsonObject, signal: AbortSignal) {
  const ref = { apiVersion: text(manifest.apiVersion), kind: text(manifest.kind), ...nameIn(manifest) };
  const dryRun = async () => ({ after: await kube.create(manifest, { dryRun: true }, signal) });
  const { answer, changes, lists } = await foresee(kube, { ref, wanted: manifest }, dryRun, signal);
  return { write: { kind: 'create' as const, manifest, answer }, changes, lists, takesOver: [] };
}

const nameIn = ({ metadata }: JsonObject) => ({
  namespace: text(at(metadata, 'namespace')),
  name: text(at(metadata, 'name')),
});

/**
 * Finds out by a dry run what the edits change. They are shown by the names of the entries that they are in; what the API
 * server makes of them besides is shown too.
 */
export async function planEdit(kube: Kube, { ref, edits, base }: EditWish, signal: AbortSignal) {
  const seen = await kube.read(ref, signal);
  if (!seen && base) return await planCreate(kube, edited(base, edits), signal);
  if (!seen) throw fault('NO_SUCH_OBJECT', { ...ref, where: ref.namespace, near: '' });
  const own = edits.filter(({ path, from, to }) => path[0] !== 'metadata' && !same(from, to));
  if (own.length === 0) return { changes: [], takesOver: [] };
  const dryRun = async (before: JsonObject = seen) => ({
    after: await kube.merge(ref, patchOf(before, edits), { dryRun: true }, signal),
  });
  const { before = seen, after, answer, lists } = await foresee(kube, { ref, wanted: {}, seen }, dryRun, signal);
  const changes = [
    ...own.flatMap((edit) => changesOf(edit, lists)),
    ...differences(edited(before, edits), after, lists),
  ];
  const write = { kind: 'edit' as const, ref, edits: [...edits], answer };
  return { write, changes, takesOver: takenOver(before, edits), before, lists };
}

const forRun = (run: string, edits: readonly Edit[]): Edit[] =>
  edits.map((edit) => (edit.to === thisRun ? { ...edit, to: run } : edit));

/**
 * Makes the edits on what is there now. Lists are one field to the API server, so the version is named that they were read
 * at: what somebody else changes meanwhile in the same list stays, and this is tried again on that.
 * @throws Fault FIELD_CHANGED where one of the very fields is not what it was when it was planned
 */
export async function doEdit(kube: Kube, run: string, write: EditWrite, signal: AbortSignal): Promise<void> {
  const { ref } = write;
  const edits = forRun(run, write.edits);
  for (let left = tries; ; left--) {
    const live = await kube.read(ref, signal);
    if (!live) throw fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name });
    if (isDone(live, edits)) return;
    const wrong = misfit(live, edits);
    if (wrong) throw fault('FIELD_CHANGED', { field: pathText(wrong.path), object: `${ref.kind}/${ref.name}` });
    const resourceVersion = at(live, 'metadata', 'resourceVersion');
    const { spec = {}, metadata } = patchOf(live, edits);
    const annotations = { ...object(at(metadata, 'annotations')), [runAnnotation]: run };
    const patch = { spec, metadata: { annotations, ...(resourceVersion !== undefined && { resourceVersion }) } };
    try {
      await kube.merge(ref, patch, {}, signal);
      return;
    } catch (thrown) {
      const now = thrown instanceof Fault ? await kube.read(ref, signal) : undefined;
      if (left <= 1 || !now || at(now, 'metadata', 'resourceVersion') === resourceVersion) throw thrown;
    }
  }
}
