import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { KindName } from '../../core/kinds.ts';
import type { Kube, ObjectRef, RolloutCount, RolloutEnd } from '../../core/kube.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import { countOf, hasReplicaSets, isUnheard, type Observed, unheardMs } from '../../core/observed.ts';
import type { PodTrouble } from '../../core/report.ts';
import type { Connection, RefusedCall } from './connection.ts';
import { lastLogLines } from './pod-logs.ts';
import type { Watches } from './shared-watch.ts';
import { type Finding, judgeRollout, type Verdict } from './verdict.ts';

/** Graces pass without any event, so the picture is judged again this often. */
const lookAgainMs = 1_000;
/** Of many events at once one look is enough. */
const togetherMs = 50;
/** A pause that was lifted just now may still be in the picture: of what Argo pauses no generation tells. */
const pauseGraceMs = 3_000;
/**
 * Argo says that it has seen a change before it says which pods are those of it: for a moment the ones that it leads away from
 * would be judged. What fails still does after this long.
 */
const failureGraceMs = 1_000;

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
type Options = Parameters<Kube['follow']>[1];

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
    case 'paused':
      return { kind: 'paused', ...count, why: ended.why };
    case 'failed':
    case 'timed-out':
      return { kind: ended.kind, ...count, trouble: await troubleOf(connection, ref.namespace, ended.finding, signal) };
    default:
      return ended satisfies never;
  }
}

/** The watches that tell how a workload's rollout goes, looked at as one picture. */
function openPicture(
  watches: Watches,
  kind: KindName,
  ref: ObjectRef,
  viewer: { changed: () => void; refused: (problem: RefusedCall) => void },
) {
  const kinds = new Set<KindName>([kind, 'Pod', ...(hasReplicaSets(kind) ? (['ReplicaSet'] as const) : [])]);
  const looks = new Map([...kinds].map((name) => [name, watches.open(name, ref.namespace, viewer)]));
  const ownedBy = (name: KindName, owner: JsonObject) => looks.get(name)?.ownedBy(owner) ?? [];
  return {
    /** With an old picture nothing is called complete. */
    clear: () => [...looks.values()].every((look) => look.clear()),
    seen: () => looks.get(kind)?.named(ref.name),
    around: (workload: JsonObject): Observed => {
      const replicaSets = ownedBy('ReplicaSet', workload);
      return { workload, replicaSets, pods: [workload, ...replicaSets].flatMap((owner) => ownedBy('Pod', owner)) };
    },
    close: () => {
      for (const look of looks.values()) look.release();
    },
  };
}

/** Calls `look` now and then, and soon after it is nudged, until the signal. */
function keepLooking(look: () => void): { nudge(): void; stop(): void } {
  const timer = setInterval(look, lookAgainMs);
  let soon: NodeJS.Timeout | undefined;
  return {
    nudge: () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        look();
      }, togetherMs);
    },
    stop: () => {
      clearInterval(timer);
      clearTimeout(soon);
    },
  };
}

/**
 * Whether what a watch shows is no older than what was read: it lags behind, and what stood before the change may well have
 * been complete, or have crashed. Versions of one kind count up (KEP-5504); what does not is let pass.
 */
function isSince(seen: JsonObject, read: JsonObject): boolean {
  const version = (object: JsonObject) => Number(at(object, 'metadata', 'resourceVersion'));
  return !(version(seen) < version(read));
}

/** Looks at the picture until there is a verdict that ends the rollout. */
function watchUntilEnd(
  watches: Watches,
  kind: KindName,
  ref: ObjectRef,
  first: JsonObject,
  options: Options,
  signal: AbortSignal,
): Promise<{ ended: Ended; count: RolloutCount }> {
  const ours = at(first, 'metadata', 'annotations', runAnnotation) === options.run;
  const applied = ours ? Number(at(first, 'metadata', 'generation') ?? 0) : 0;
  const { promise, resolve, reject } = Promise.withResolvers<{ ended: Ended; count: RolloutCount }>();
  const began = Date.now();
  let lastSeen = '';
  let found = false;
  let heardAt = began;
  let failingSince: number | undefined;
  const look = () => {
    const shown = picture.seen();
    if (found && !shown) return reject(fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name }));
    found = shown !== undefined;
    const seen = shown && isSince(shown, first) ? shown : undefined;
    const workload = seen ?? first;
    const count = countOf(workload);
    const now = Date.now();
    const verdict = seen
      ? judgeRollout(picture.around(workload), options.run, applied, now)
      : { kind: 'progressing' as const };
    if (!seen || !isUnheard(seen)) heardAt = now;
    if (now - heardAt >= unheardMs) {
      heardAt = now;
      options.unheard?.();
    }
    failingSince = verdict.kind === 'failed' ? (failingSince ?? now) : undefined;
    const mayBeOld = kind === 'Rollout' && failingSince !== undefined && now - failingSince < failureGraceMs;
    const fresh = mayBeOld || (verdict.kind === 'paused' && now - began < pauseGraceMs);
    const guessed = fresh || (verdict.kind === 'complete' && !picture.clear());
    if (verdict.kind !== 'progressing' && !guessed) return resolve({ ended: verdict, count });
    const finding = 'finding' in verdict ? verdict.finding : undefined;
    if (now >= options.deadline) return resolve({ ended: { kind: 'timed-out', ...(finding && { finding }) }, count });
    if (JSON.stringify(count) !== lastSeen) options.seen(count);
    lastSeen = JSON.stringify(count);
  };
  const loop = keepLooking(look);
  // The API server away is no reason to give up before the deadline; that it says no is.
  const picture = openPicture(watches, kind, ref, {
    changed: loop.nudge,
    refused: (problem) => {
      if (problem.refusal.status === 403) reject(problem);
    },
  });
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return promise.finally(() => {
    loop.stop();
    picture.close();
    signal.removeEventListener('abort', abort);
  });
}

/** Follows a rollout by watching; see `Kube.follow`. */
export async function followRollout(
  connection: Connection,
  watches: Watches,
  kind: KindName,
  ref: ObjectRef,
  first: JsonObject,
  options: Options,
  signal: AbortSignal,
): Promise<RolloutEnd> {
  const { ended, count } = await watchUntilEnd(watches, kind, ref, first, options, signal);
  return await endOf(connection, ref, ended, count, signal);
}
