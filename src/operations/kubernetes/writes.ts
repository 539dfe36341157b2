import type { Difference } from '../../core/diff.ts';
import { Fault, fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { type Kube, type ObjectRef, refOf, refOfWrite } from '../../core/kube.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Draft, Write } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { doEdit, type EditWish, planCreate, planEdit, thisRun } from './edit-write.ts';
import { type Foreseen, foresee } from './foresee.ts';
import { gitOpsGuard } from './gitops.ts';

/** What an operation would like to write: as `Write` has it, without what only the cluster knows. */
export type Wish =
  | { kind: 'apply'; manifest: JsonObject }
  | { kind: 'create'; manifest: JsonObject }
  | { kind: 'merge'; ref: ObjectRef; patch: JsonObject; subresource?: 'status' | 'ephemeralcontainers' }
  | EditWish
  | { kind: 'remove'; ref: ObjectRef };

/** `ConfigMap/app-config`, as people are shown it. */
export const nameOf = ({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string => `${kind}/${name}`;

type Planned = Partial<Pick<Foreseen, 'before' | 'lists'>> & {
  write?: Write;
  changes: Difference[];
  takesOver: Draft['takesOver'];
};

/** Server-side apply, tried. */
export async function planApply(kube: Kube, manifest: JsonObject, signal: AbortSignal) {
  const dryRun = () => kube.preview(manifest, signal);
  const foreseen = await foresee(kube, { ref: refOf(manifest), wanted: manifest }, dryRun, signal);
  const { answer, takesOver } = foreseen;
  return { ...foreseen, write: { kind: 'apply' as const, manifest, force: takesOver.length > 0, answer } };
}

async function planOne(kube: Kube, wish: Wish, signal: AbortSignal): Promise<Planned> {
  const ref = refOfWrite(wish);
  switch (wish.kind) {
    case 'apply':
      return await planApply(kube, wish.manifest, signal);
    case 'create':
      return await planCreate(kube, wish.manifest, signal);
    case 'merge': {
      const { patch, subresource } = wish;
      const seen = await kube.read(ref, signal);
      if (!seen) throw missing(ref);
      const options = { dryRun: true, ...(subresource && { subresource }) };
      const after = async () => ({ after: await kube.merge(ref, patch, options, signal) });
      const foreseen = await foresee(kube, { ref, wanted: patch, seen }, after, signal);
      return { ...foreseen, write: { ...wish, answer: foreseen.answer }, takesOver: [] };
    }
    case 'edit':
      return await planEdit(kube, wish, signal);
    case 'remove': {
      const before = await kube.read(ref, signal);
      if (!before) return { changes: [], takesOver: [] };
      await kube.remove(ref, { dryRun: true }, signal);
      const write: Write = { kind: 'remove', ref, uid: text(at(before, 'metadata', 'uid')) };
      return { write, changes: [{ path: '', from: 'there', to: 'deleted' }], takesOver: [], before };
    }
    default:
      return wish satisfies never;
  }
}

/** The fault of an object that isn't there. */
export function missing({ kind, name, namespace }: ObjectRef, near = ''): Fault {
  return fault('NO_SUCH_OBJECT', { kind, name, where: namespace || 'the cluster', near });
}

/**
 * Finds out by dry runs what the wishes would change, in their order. Each change bears the object's name in its path,
 * values of Secrets are masked. What Argo CD would put back is a warning.
 * @throws Fault MANAGED_BY_GIT where it would do so at once

 */
export async function planWrites(
  kube: Kube,
  wishes: readonly Wish[],
  signal: AbortSignal,
): Promise<Pick<Draft, 'changes' | 'takesOver' | 'warnings'> & { writes: Write[] }> {
  const guard = gitOpsGuard(kube, signal);
  const planned = await Promise.all(wishes.map((wish) => planOne(kube, wish, signal)));
  const warnings = (await Promise.all(planned.map(guard))).flat();
  const named = planned.flatMap(({ changes }, index) => {
    const wish = wishes[index];
    return wish
      ? changes.map((change) => ({ ...change, path: `${nameOf(refOfWrite(wish))} ${change.path}`.trim() }))
      : [];
  });
  return {
    writes: planned.flatMap(({ write, changes }) => (write && changes.length > 0 ? [write] : [])),
    changes: named,
    takesOver: planned.flatMap(({ takesOver }) => takesOver),
    ...(warnings.length > 0 && { warnings }),
  };
}

function markedBy(run: string, object: JsonObject): JsonObject {
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  const own = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [key, value === thisRun ? run : value]),
  );
  return { ...object, metadata: { ...metadata, annotations: { ...own, [runAnnotation]: run } } };
}

/** Does one write; doing it again does nothing more. */
async function write(kube: Kube, run: string, wanted: Write, signal: AbortSignal): Promise<string> {
  const ref = refOfWrite(wanted);
  switch (wanted.kind) {
    case 'apply':
      await kube.apply(wanted.manifest, { run, force: wanted.force }, signal);
      return `${nameOf(ref)}: applied`;
    case 'create': {
      // A crash after the creation repeats the step: what bears this run's mark was made by it.
      const live = await kube.read(ref, signal);
      if (at(live, 'metadata', 'annotations', runAnnotation) !== run)
        await kube.create(markedBy(run, wanted.manifest), {}, signal);
      return `${nameOf(ref)}: created`;
    }
    case 'merge':
      if (wanted.subresource) await kube.merge(ref, wanted.patch, { subresource: wanted.subresource }, signal);
      else await kube.merge(ref, markedBy(run, wanted.patch), {}, signal);
      return `${nameOf(ref)}: changed`;
    case 'edit':
      await doEdit(kube, run, wanted, signal);
      return `${nameOf(ref)}: changed`;
    case 'remove':
      return (await kube.remove(ref, { uid: wanted.uid }, signal))
        ? `${nameOf(ref)}: deleted`
        : `${nameOf(ref)}: was gone already`;
    default:
      return wanted satisfies never;
  }
}

/**
 * Does the plan's writes one after the other, with a line each in the thread; `written` comes after each. `before` names what was
 * written already besides.
 * @throws Fault PARTLY_APPLIED, which says exactly what was done, where one fails after others were done
 */
export async function doWrites(
  run: Pick<RunContext<'kube', string>, 'id' | 'plan'>,
  kube: Kube,
  { log, signal }: StepContext,
  written: (wanted: Write) => Promise<void> = async () => {},
  before: readonly string[] = [],
): Promise<string[]> {
  const writes = run.plan.writes ?? [];
  const done: string[] = [];
  for (const wanted of writes) {
    try {
      log(await write(kube, run.id, wanted, signal));
      await written(wanted);
    } catch (thrown) {
      const all = [...before, ...done];
      if (!(thrown instanceof Fault) || all.length === 0 || thrown.retry === 'later') throw thrown;
      const left = writes.slice(done.length).map((each) => nameOf(refOfWrite(each)));
      throw fault('PARTLY_APPLIED', { done: all.join(', '), left: left.join(', '), problem: thrown.message }, thrown);
    }
    done.push(nameOf(refOfWrite(wanted)));
  }
  return done;
}

/** The steps of an operation that only writes. */
export const writeSteps = ['write'] as const;

/** Does the plan's writes as the run's one step. */
export async function runWrites(run: RunContext<'kube', 'write'>, note?: string): Promise<Report> {
  const kube = run.on.kube(run.site.cluster);
  const objects = await run.step('write', (step) => doWrites(run, kube, step));
  return { kind: 'changed', objects, ...(note !== undefined && { note }) };
}
