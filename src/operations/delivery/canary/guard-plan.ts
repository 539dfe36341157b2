import { Fault } from '../../../core/errors.ts';
import { at, type JsonObject } from '../../../core/json.ts';
import { type Kube, refOf } from '../../../core/kube.ts';
import { selectorText } from '../../../core/label-selector.ts';
import type { RolloutPlan } from '../../../core/rollout.ts';
import { nameOf } from '../../kubernetes/writes.ts';
import { type Guard, guards, peersMissed, reachText, type Sides, twinOf, uncovered } from './guards.ts';
import { isTaken } from './taken.ts';

export type Beside = { manifest: JsonObject; what: string };

/** What the plan of a canary says of what guards stable. */
export type GuardPlan = {
  twins: Beside[];
  /** What will not hold for the canary, as sentences. */
  unprotected: string[];
  /** What else may be different for the canary's pods. */
  warnings: string[];
  /** What is looked at while it is under way. */
  guarded: NonNullable<RolloutPlan['guarded']>;
};

/** The policies of a kind; undefined where the cluster has no such kind; the reason where they can't be seen. */
async function policiesOf(
  kube: Kube,
  { apiVersion, kind }: Guard,
  namespace: string,
  signal: AbortSignal,
): Promise<JsonObject[] | string | undefined> {
  try {
    return await kube.list({ apiVersion, kind, namespace }, signal);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
    return thrown.code === 'UNKNOWN_KIND' ? undefined : thrown.message;
  }
}

/** Why a twin can't be made and taken away again, if so: tried by dry runs. */
async function problemOf(kube: Kube, manifest: JsonObject, signal: AbortSignal): Promise<string | undefined> {
  const ref = refOf(manifest);
  try {
    if (await isTaken(kube, ref, signal)) return `There is a ${nameOf(ref)} already, which is not Shipmate’s.`;
    await kube.preview(manifest, signal);
    await kube.remove(ref, { dryRun: true }, signal);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
    return thrown.message;
  }
}

type Found = { twin?: Beside; name: string; unprotected?: string };

async function twinFor(
  kube: Kube,
  guard: Guard,
  policy: JsonObject,
  sides: Sides,
  signal: AbortSignal,
): Promise<Found> {
  const name = `${guard.kind}/${String(at(policy, 'metadata', 'name'))}`;
  const manifest = twinOf(guard, policy, sides);
  const problem = guard.twin ? await problemOf(kube, manifest, signal) : `Shipmate makes no ${guard.kind} for it.`;
  if (problem === undefined) return { name, twin: { manifest, what: `as ${name}, for the new pods` } };
  const reach = reachText(guard, policy);
  return { name, unprotected: `${name} goes by ${reach}, so it does not hold for the canary’s pods. ${problem}` };
}

/** Finds out what guards stable's pods and not the canary's, and how each is made to. */
export async function planGuards(kube: Kube, sides: Sides, signal: AbortSignal): Promise<GuardPlan> {
  const { namespace } = sides;
  const lists = await Promise.all(
    guards.map(async (guard) => ({ guard, policies: await policiesOf(kube, guard, namespace, signal) })),
  );
  const seen = lists.flatMap(({ guard, policies }) => (Array.isArray(policies) ? [{ guard, policies }] : []));
  const unseen = lists.flatMap(({ guard, policies }) =>
    typeof policies === 'string'
      ? [`Whether a ${guard.kind} holds for stable’s pods and not for the canary’s is not known. ${policies}`]
      : [],
  );
  const found = await Promise.all(
    seen.flatMap(({ guard, policies }) =>
      uncovered(guard, policies, sides).map((policy) => twinFor(kube, guard, policy, sides, signal)),
    ),
  );
  const peers = seen.flatMap(({ guard, policies }) =>
    guard.kind !== 'NetworkPolicy'
      ? []
      : policies.flatMap((policy) => {
          const missed = peersMissed(policy, sides);
          const name = nameOf(refOf(policy));
          return missed === undefined
            ? []
            : [`${name} lets pods in or out by ${selectorText(missed)}, so the canary’s may be cut off from there.`];
        }),
  );
  return {
    twins: found.flatMap(({ twin }) => (twin ? [twin] : [])),
    unprotected: [...unseen, ...found.flatMap(({ unprotected }) => unprotected ?? [])],
    warnings: peers,
    guarded: {
      kinds: seen.flatMap(({ guard }) => (guard.twin ? [guard.kind] : [])),
      except: found.flatMap(({ name, unprotected }) => (unprotected === undefined ? [] : [name])),
    },
  };
}
