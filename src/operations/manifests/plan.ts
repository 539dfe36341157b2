import { type Difference, differences } from '../../core/diff.ts';
import { Fault, fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { type Kube, refOf } from '../../core/kube.ts';
import { wholeLists } from '../../core/list-types.ts';
import type { PlanContext } from '../../core/operation.ts';
import type { Draft, Write } from '../../core/plan.ts';
import { foresee } from '../kubernetes/foresee.ts';
import { gitOpsGuard } from '../kubernetes/gitops.ts';
import { nameOf } from '../kubernetes/writes.ts';
import { asBefore, asDeleted } from './before.ts';
import { type Prepared, prepare } from './prepare.ts';
import { bearerAmong, membersOf, withKinds } from './sets.ts';
import { type ManifestInput, readSource, whereOf } from './source.ts';

/** What is refused for another reason than what an object says. */
const notItsOwn = new Set(['CLUSTER_FORBIDDEN', 'NAMESPACE_GOES', 'MANAGED_BY_GIT']);

/** So many objects are asked about at a time. */
const together = 8;

type Before = NonNullable<Draft['before']>[number];
type Guard = ReturnType<typeof gitOpsGuard>;

type Outcome =
  | {
      kind: 'new' | 'changed' | 'same';
      write?: Write;
      changes: Difference[];
      takesOver: Draft['takesOver'];
      warnings?: string[];
      before?: Before;
    }
  | { kind: 'refused'; problem: string };

/** What cannot be checked beforehand, since its namespace or its definition comes with the same manifest. */
function unchecked({ object, defined }: Prepared): Outcome {
  const what = defined ? 'its definition (CRD)' : 'its namespace';
  const note = { path: '', to: `new; the cluster could not check it yet: ${what} comes with this manifest` };
  const changes = [note, ...differences(undefined, object, wholeLists)];
  const before = { ref: refOf(object) };
  return {
    kind: 'new',
    write: { kind: 'apply', manifest: object, force: false, answer: '' },
    changes,
    takesOver: [],
    before,
  };
}

const waitsFor = ({ code }: Fault, entry: Prepared, brings: { namespace: boolean }) =>
  (code === 'NAMESPACE_MISSING' && brings.namespace) || (entry.defined && code === 'UNKNOWN_KIND');

async function look(
  kube: Kube,
  entry: Prepared,
  brings: { namespace: boolean },
  guard: Guard,
  signal: AbortSignal,
): Promise<Outcome> {
  const { object } = entry;
  try {
    const dryRun = () => kube.preview(object, signal);
    const foreseen = await foresee(kube, { ref: refOf(object), wanted: object }, dryRun, signal);
    const { before: live, takesOver, changes, answer, lists } = foreseen;
    if (live && changes.length === 0) return { kind: 'same', changes: [], takesOver: [] };
    const write: Write = { kind: 'apply', manifest: object, force: takesOver.length > 0, answer };
    const named = takesOver.map(({ field, manager }) => ({ manager, field: `${nameOf(refOf(object))} ${field}` }));
    const whole = changes.length > 0 ? changes : [{ path: '', to: 'new' }];
    const warnings = await guard(foreseen);
    const before: Before = { ref: refOf(object), ...(live && { manifest: asBefore(live, object, lists) }) };
    return { kind: live ? 'changed' : 'new', write, changes: whole, takesOver: named, warnings, before };
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
    if (waitsFor(thrown, entry, brings)) return unchecked(entry);
    if (notItsOwn.has(thrown.code)) throw thrown;
    return { kind: 'refused', problem: `${whereOf(entry)}: ${thrown.message}` };
  }
}

/** Does it for all, some at a time, and keeps their order. */
async function some<Item, Result>(items: readonly Item[], act: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += together)
    results.push(...(await Promise.all(items.slice(from, from + together).map(act))));
  return results;
}

async function removals(prepared: readonly Prepared[], members: readonly JsonObject[], set: string, guard: Guard) {
  const kept = new Set(prepared.map(({ object }) => nameOf(refOf(object))));
  const gone = members.filter((object) => !kept.has(nameOf(refOf(object))));
  return await Promise.all(
    gone.map(async (object) => {
      const ref = refOf(object);
      const to = ref.kind === 'PersistentVolumeClaim' ? 'deleted, with the data in it' : 'deleted';
      const write: Write = { kind: 'remove', ref, uid: String(at(object, 'metadata', 'uid') ?? '') };
      const change: Difference = { path: nameOf(ref), from: `in the set ${set}`, to };
      const manifest = asDeleted(object);
      const before: Before[] = manifest ? [{ ref, manifest }] : [];
      return {
        write,
        change,
        before,
        warnings: await guard({ before: object, changes: [{ path: '', to: 'deleted' }] }),
      };
    }),
  );
}

const counted = (count: number, word: string) => (count === 0 ? [] : [`${count} ${word}`]);

/**
 * Reads a manifest, checks it, and finds out by a dry run of each object what it would change.
 * @throws Fault with everything that is wrong at once, each with its line
 */
export async function planManifest(
  context: Pick<PlanContext<'kube' | 'git'>, 'on' | 'settings' | 'site' | 'signal'>,
  input: ManifestInput,
): Promise<Draft> {
  const { site, signal } = context;
  const kube = context.on.kube(site.cluster);
  const { entries, from } = await readSource(context, input);
  const prepared = await prepare(context, kube, entries, input.prune);
  const namespace = prepared.some(
    ({ object }) => object.kind === 'Namespace' && at(object, 'metadata', 'name') === site.namespace,
  );
  const guard = gitOpsGuard(kube, signal);
  const kinds = prepared.map(({ kind }) => kind);
  const { prune: set } = input;
  const members =
    set === undefined ? [] : await membersOf(kube, { set, namespace: site.namespace, more: kinds }, signal);
  const bearer = bearerAmong(kinds);
  const first = prepared[bearer];
  if (set !== undefined && first) prepared[bearer] = { ...first, object: withKinds(first.object, members, prepared) };
  const outcomes = await some(prepared, (entry) => look(kube, entry, { namespace }, guard, signal));
  const refused = outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [outcome.problem] : []));
  if (refused.length > 0)
    throw fault('CLUSTER_REFUSED', { cluster: site.cluster, problem: refused.slice(0, 10).join(' ') });
  const gone = set === undefined ? [] : await removals(prepared, members, set, guard);
  const unseen = set !== undefined && !first && kinds.some(({ kind }) => kind === 'Secret');
  const warnings = [
    ...(unseen
      ? [
          `The set ${set} has Secrets alone, which are not listed: what is left out of it later stays. Add a ConfigMap to it.`,
        ]
      : []),
    ...outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [] : (outcome.warnings ?? []))),
    ...gone.flatMap((each) => each.warnings),
  ];
  const shown = outcomes.flatMap((outcome, index) => {
    const object = prepared[index]?.object;
    if (outcome.kind === 'refused' || !object) return [];
    return outcome.changes.map((change) => ({ ...change, path: `${nameOf(refOf(object))} ${change.path}`.trim() }));
  });
  const number = (kind: Outcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const counts = [
    ...counted(number('new'), 'new'),
    ...counted(number('changed'), 'changed'),
    ...counted(number('same'), 'as they are'),
    ...counted(gone.length, 'deleted'),
  ];
  return {
    summary: `${counts.join(', ')}, from ${from}`,
    changes: [...shown, ...gone.map(({ change }) => change)],
    writes: [
      ...outcomes.flatMap((outcome) => (outcome.kind !== 'refused' && outcome.write ? [outcome.write] : [])),
      ...gone.map(({ write }) => write),
    ],
    takesOver: outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [] : outcome.takesOver)),
    ...(warnings.length > 0 && { warnings }),
    before: [
      ...outcomes.flatMap((outcome) => (outcome.kind !== 'refused' && outcome.before ? [outcome.before] : [])),
      ...gone.flatMap(({ before }) => before),
    ],
  };
}
