import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef, RolloutCount, RolloutEnd } from '../../core/ports.ts';
import type { PodTrouble } from '../../core/report.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { lastLogLines } from './pod-logs.ts';
import { listPath, selectorOf } from './resources.ts';
import { countOf, type Finding, judgeRollout, type Observed, type Verdict } from './verdict.ts';
import { keepCache } from './watch.ts';

/** Graces pass without any event, so the picture is judged again this often. */
const lookAgainMs = 1_000;

/** A finding as a report has it: with the last words of the container that crashed. */
export async function troubleOf(
  connection: Connection,
  namespace: string,
  finding: Finding | undefined,
  signal: AbortSignal,
): Promise<PodTrouble> {
  if (!finding) return { code: 'not-ready', detail: '', logs: [] };
  const { final: _, crashed, ...trouble } = finding;
  const logs = crashed ? await lastLogLines(connection, namespace, crashed, signal).catch(() => []) : [];
  return { ...trouble, logs };
}

type Ended = Exclude<Verdict, { kind: 'progressing' }> | { kind: 'timed-out'; finding?: Finding };

async function endOf(
  connection: Connection,
  ref: ObjectRef,
  ended: Ended,
  count: RolloutCount,
  signal: AbortSignal,
): Promise<RolloutEnd> {
  switch (ended.kind) {
    case 'complete':
      return { kind: 'complete', ...count };
    case 'superseded':
      return { kind: 'superseded', ...count, ...(ended.by !== undefined && { by: ended.by }) };
    case 'failed':
    case 'timed-out':
      return { kind: ended.kind, ...count, trouble: await troubleOf(connection, ref.namespace, ended.finding, signal) };
    default:
      return ended satisfies never;
  }
}

/** Watches three kinds of objects and settles with the first verdict that ends the rollout. */
function watchUntilEnd(
  connection: Connection,
  ref: ObjectRef,
  first: JsonObject,
  options: Parameters<Kube['follow']>[1],
  signal: AbortSignal,
): Promise<{ ended: Ended; count: RolloutCount }> {
  const caches = {
    deployments: new Map<string, JsonObject>(),
    replicaSets: new Map<string, JsonObject>(),
    pods: new Map<string, JsonObject>(),
  };
  const ours = at(first, 'metadata', 'annotations', 'shipmate.dev/run') === options.run;
  const applied = ours ? Number(at(first, 'metadata', 'generation') ?? 0) : 0;
  const labels = { labelSelector: selectorOf(first) };
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const both = AbortSignal.any([signal, done.signal]);
    let lastSeen = '';
    const finish = (ended: Ended, count: RolloutCount) => {
      clearInterval(timer);
      done.abort();
      resolve({ ended, count });
    };
    let found = false;
    /** Kinds that can't be watched at the moment: with an old picture nothing is called complete. */
    const blind = new Set<string>();
    const look = () => {
      if (done.signal.aborted) return;
      const there = caches.deployments.size > 0;
      if (found && !there) return stop(fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name }));
      found = there;
      const [deployment = first] = caches.deployments.values();
      const observed: Observed = {
        deployment,
        replicaSets: [...caches.replicaSets.values()],
        pods: [...caches.pods.values()],
      };
      const count = countOf(deployment);
      const verdict =
        caches.deployments.size === 0
          ? { kind: 'progressing' as const }
          : judgeRollout(observed, options.run, applied, Date.now());
      const guessed = verdict.kind === 'complete' && blind.size > 0;
      if (verdict.kind !== 'progressing' && !guessed) return finish(verdict, count);
      const finding = 'finding' in verdict ? verdict.finding : undefined;
      if (Date.now() >= options.deadline) return finish({ kind: 'timed-out', finding }, count);
      if (JSON.stringify(count) !== lastSeen) options.seen(count);
      lastSeen = JSON.stringify(count);
    };
    const timer = setInterval(look, lookAgainMs);
    const stop = (problem: unknown) => {
      clearInterval(timer);
      done.abort();
      reject(problem);
    };
    signal.addEventListener('abort', () => stop(signal.reason), { once: true });
    // The API server away is no reason to give up before the deadline; that it says no is.
    const failed = (kind: string) => (problem: unknown) => {
      blind.add(kind);
      if (problem instanceof RefusedCall && problem.refusal.status === 403) stop(problem);
    };
    const keep = (kind: string, apiVersion: string, query: Record<string, string>, cache: Map<string, JsonObject>) =>
      keepCache(
        connection,
        { path: listPath(apiVersion, kind, ref.namespace), query },
        cache,
        {
          changed: () => {
            blind.delete(kind);
            look();
          },
          failed: failed(kind),
        },
        both,
      );
    void keep('Deployment', 'apps/v1', { fieldSelector: `metadata.name=${ref.name}` }, caches.deployments);
    void keep('ReplicaSet', 'apps/v1', labels, caches.replicaSets);
    void keep('Pod', 'v1', labels, caches.pods);
  });
}

/** Follows a rollout by watching; see `Kube.follow`. */
export async function followRollout(
  connection: Connection,
  ref: ObjectRef,
  first: JsonObject,
  options: Parameters<Kube['follow']>[1],
  signal: AbortSignal,
): Promise<RolloutEnd> {
  const { ended, count } = await watchUntilEnd(connection, ref, first, options, signal);
  return await endOf(connection, ref, ended, count, signal);
}
