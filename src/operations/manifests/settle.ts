import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { type Kube, type ObjectRef, type RolloutEnd, refOf, refOfWrite } from '../../core/kube.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Write } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { nameOf } from '../kubernetes/writes.ts';
import { touch } from '../workloads/taken-up.ts';

const establishedMs = 30_000;
const lookAgainMs = 100;

/** A definition of a kind is of use only once the API server serves it. */
export async function established(kube: Kube, written: Write, signal: AbortSignal): Promise<void> {
  const ref = refOfWrite(written);
  if (written.kind !== 'apply' || ref.kind !== 'CustomResourceDefinition') return;
  const { spec } = written.manifest;
  const versions = at(spec, 'versions');
  const [version] = (Array.isArray(versions) ? versions : []).filter((each) => at(each, 'served') === true);
  const apiVersion = `${text(at(spec, 'group'))}/${text(at(version, 'name'))}`;
  const kind = text(at(spec, 'names', 'kind'));
  for (const end = Date.now() + establishedMs; ; ) {
    const served = await kube.list({ apiVersion, kind, namespace: '' }, signal).then(
      () => true,
      (thrown: unknown) => {
        if (thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND' && Date.now() < end) return false;
        throw thrown;
      },
    );
    if (served) return;
    await sleep(lookAgainMs, undefined, { signal });
  }
}

const followed = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Rollout']);

/** The workloads among what was written. */
export function workloadsOf(writes: readonly Write[]): ObjectRef[] {
  return writes.flatMap((write) => {
    const manifest: JsonObject | undefined = write.kind === 'apply' ? write.manifest : undefined;
    return manifest && followed.has(text(manifest.kind)) && isObject(manifest.spec) ? [refOf(manifest)] : [];
  });
}

function failureOf(end: RolloutEnd, name: string, seconds: number): Report | undefined {
  const { replicas, ready } = end;
  switch (end.kind) {
    // What waits at a pause of its own strategy is as it should be.
    case 'complete':
    case 'paused':
      return undefined;
    case 'failed':
      return { kind: 'rollout-failed', replicas, ready, trouble: { ...end.trouble, pod: end.trouble.pod ?? name } };
    case 'timed-out':
      return {
        kind: 'rollout-timed-out',
        replicas,
        ready,
        trouble: { ...end.trouble, pod: end.trouble.pod ?? name },
        seconds,
      };
    case 'superseded':
      return { kind: 'superseded', ...(end.by !== undefined && { by: end.by }) };
    default:
      return end satisfies never;
  }
}

function wordsOf({ kind, ready, replicas }: RolloutEnd, name: string, env: string): string {
  if (kind === 'complete') return `${ready} of ${replicas} ready`;
  return kind === 'paused' ? `waits at a pause, /ship rollout promote ${name.toLowerCase()} in ${env} goes on` : kind;
}

/** Follows all workloads to their end. The first that fails tells how it went; the others are followed all the same. */
export async function settle(
  run: Pick<RunContext<'kube', string>, 'id' | 'site' | 'now'>,
  kube: Kube,
  refs: readonly ObjectRef[],
  step: StepContext,
): Promise<{ failure?: Report; words: string[] }> {
  const { startedAt, note, log, signal } = step;
  const deadline = startedAt + run.site.rolloutTimeoutSeconds * 1_000;
  const counts = new Map(refs.map((ref) => [nameOf(ref), 'waiting']));
  const say = (name: string, words: string) => {
    counts.set(name, words);
    note([...counts].map(([each, now]) => `${each}: ${now}`).join(', '));
  };
  const ends = await Promise.all(
    refs.map(async (ref) => {
      const name = nameOf(ref);
      const seen = ({ ready, replicas }: { ready: number; replicas: number }) =>
        say(name, `${ready} of ${replicas} ready`);
      const unheard = () => touch(kube, ref, run.now(), step);
      const end = await kube.follow(ref, { run: run.id, deadline, seen, unheard }, signal);
      say(name, wordsOf(end, name, run.site.env));
      log(`${name}: ${end.kind === 'complete' ? 'ready' : end.kind}`);
      return { name, end };
    }),
  );
  const seconds = Math.round((run.now() - startedAt) / 100) / 10;
  const failure = ends.map(({ name, end }) => failureOf(end, name, seconds)).find((each) => each !== undefined);
  const words = [...counts].map(([name, now]) => `${name}: ${now}`);
  return { words, ...(failure && { failure }) };
}
