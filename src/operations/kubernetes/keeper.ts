import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import type { PlanContext, RunContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { some } from '../../core/some.ts';
import { Switch } from '../../core/values.ts';
import { settle } from '../manifests/settle.ts';
import { canRestart, consumersOf, type Keeper } from './consumers.ts';
import { Pairs, pairsOf } from './pairs.ts';
import { list } from './reading.ts';
import { missing, nameOf, planWrites, runWrites, type Wish } from './writes.ts';

/** The address of a ConfigMap or Secret. */
export const keeperRef = (kind: Keeper, namespace: string, name: string): ObjectRef => ({
  apiVersion: 'v1',
  kind,
  namespace,
  name,
});

export const Key = z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/, 'must be letters, digits, “-”, “_” and “.”');
export const Keys = z.array(Key).min(1).max(100).describe('The keys to take away');

/** What setting takes, for both kinds. */
export const setFields = {
  env: EnvRef,
  values: Pairs.optional(),
  files: z.record(Key, z.string().max(1_000_000)).optional().describe('Whole files by key, over REST'),
  restart: Switch.optional().describe('Restart the workloads that read it'),
};
/** The same over REST, where values are an object. */
export const setBody = z.object({
  namespace: EnvRef,
  name: ObjectName,
  data: z.record(Key, z.string().max(1_000_000)).describe('Values and whole files by key'),
  restart: Switch.optional(),
});
export const inputOfBody = ({ namespace, name, data, restart }: z.output<typeof setBody>) => ({
  name,
  env: namespace,
  files: data,
  ...(restart !== undefined && { restart }),
});

type Wanted = { name: string; values?: readonly string[]; files?: Record<string, string>; restart?: boolean };

export const dataOf = (object: JsonObject | undefined): JsonObject => {
  const data = at(object, 'data');
  return isObject(data) ? data : {};
};

/** A Secret keeps base64; `stringData` would stay visible to whoever applied it last. */
const stored = (kind: Keeper, value: string) => (kind === 'Secret' ? Buffer.from(value).toString('base64') : value);

/**
 * New pods for whatever reads it. The mark in their template names the version that they had before, not a hash of the
 * values: of a weak secret a hash would give it away.
 */
async function restarts(kube: Kube, ref: ObjectRef, kind: Keeper, live: JsonObject | undefined, signal: AbortSignal) {
  const consumers = (await consumersOf(kube, { ...ref, kind }, signal)).filter(canRestart);
  const mark = `${nameOf(ref)}@${text(at(live, 'metadata', 'resourceVersion')) || 'new'}`;
  const patch = { spec: { template: { metadata: { annotations: { 'shipmate.dev/restarted-after': mark } } } } };
  return consumers.map((consumer): Wish => ({ kind: 'merge', ref: consumer.ref, patch }));
}

async function planChange(
  { site, on, signal }: PlanContext<'kube'>,
  kind: Keeper,
  ref: ObjectRef,
  live: JsonObject | undefined,
  wish: Wish,
  restart: boolean | undefined,
) {
  const kube = on.kube(site.cluster);
  const planned = await planWrites(kube, [wish], signal);
  if (!restart || planned.changes.length === 0) return { ...planned, restarted: [] };
  const more = await planWrites(kube, await restarts(kube, ref, kind, live, signal), signal);
  return {
    writes: [...planned.writes, ...more.writes],
    changes: [...planned.changes, ...more.changes],
    takesOver: [...planned.takesOver, ...more.takesOver],
    warnings: [...(planned.warnings ?? []), ...(more.warnings ?? [])],
    restarted: more.writes.flatMap((write) => (write.kind === 'merge' ? [nameOf(write.ref)] : [])),
  };
}

/** An ExternalSecret or SealedSecret, say, writes its own values over what is set here. */
function keptText(live: JsonObject | undefined): string {
  const keeper = list(at(live, 'metadata', 'ownerReferences')).find(({ controller }) => controller === true);
  return keeper ? `; ${text(keeper.kind)}/${text(keeper.name)} keeps it and may write over this` : '';
}

const restartText = (restarted: readonly string[]) => (restarted.length > 0 ? `; restarts ${some(restarted)}` : '');

/** Plans to set values: in the object where there is one, else in a new one. @throws Fault IMMUTABLE, BAD_INPUT */
export async function planSet(context: PlanContext<'kube'>, kind: Keeper, wanted: Wanted): Promise<Draft> {
  const { site, signal } = context;
  const { name, restart } = wanted;
  const given = { ...wanted.files, ...pairsOf(wanted.values ?? []) };
  if (Object.keys(given).length === 0)
    throw fault('BAD_INPUT', { problem: `${nameOf({ kind, name })} needs KEY=VALUE.` });
  const ref = keeperRef(kind, site.namespace, name);
  const live = await context.on.kube(site.cluster).read(ref, signal);
  if (at(live, 'immutable') === true) throw fault('IMMUTABLE', { kind, name });
  const data = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, stored(kind, value)]));
  const { apiVersion, namespace } = ref;
  const manifest = { apiVersion, kind, metadata: { name, namespace }, data };
  const wish = live ? { kind: 'merge' as const, ref, patch: { data } } : { kind: 'apply' as const, manifest };
  const { restarted, ...planned } = await planChange(context, kind, ref, live, wish, restart);
  const before = dataOf(live);
  const values = Object.keys(data).map((key) => `${key}=${String(before[key])}`);
  const back = live && kind === 'ConfigMap' && Object.keys(data).every((key) => before[key] !== undefined);
  const input = { name, env: site.env, values, ...(restart && { restart }) };
  const verb = live ? 'sets' : 'creates it with';
  return {
    summary: `${kind}/${name}: ${verb} ${some(Object.keys(data), 20)}${restartText(restarted)}${keptText(live)}`,
    ...planned,
    ...(back && { undo: { operation: 'config-set', input } }),
  };
}

/** Plans to take keys away. @throws Fault NO_SUCH_OBJECT for the object, or for a key that it lacks */
export async function planUnset(
  context: PlanContext<'kube'>,
  kind: Keeper,
  { name, keys, restart }: { name: string; keys: readonly string[]; restart?: boolean },
): Promise<Draft> {
  const { site, signal } = context;
  const ref = keeperRef(kind, site.namespace, name);
  const live = await context.on.kube(site.cluster).read(ref, signal);
  if (!live) throw missing(ref);
  if (live.immutable === true) throw fault('IMMUTABLE', { kind, name });
  const data = dataOf(live);
  for (const key of keys)
    if (data[key] === undefined) throw missing({ ...ref, kind: 'key', name: key }, didYouMean(key, Object.keys(data)));
  const patch = { data: Object.fromEntries(keys.map((key) => [key, null])) };
  const { restarted, ...planned } = await planChange(context, kind, ref, live, { kind: 'merge', ref, patch }, restart);
  const values = keys.map((key) => `${key}=${String(data[key])}`);
  const undo = kind === 'ConfigMap' && { undo: { operation: 'config-set', input: { name, env: site.env, values } } };
  return {
    summary: `${kind}/${name}: takes away ${keys.join(', ')}${restartText(restarted)}${keptText(live)}`,
    ...planned,
    ...undo,
  };
}

export const keeperSteps = ['write', 'settle'] as const;
export const keeperLimits = { run: 26 * 3_600_000, steps: { settle: 25 * 3_600_000 } };

/** Writes, and follows the restarts, where there are any, until all pods are ready. */
export async function runKeeper(run: RunContext<'kube', (typeof keeperSteps)[number]>): Promise<Report> {
  const written = await runWrites(
    run,
    'Pods that read it as environment variables see it after a restart: restart=yes.',
  );
  const refs = (run.plan.writes ?? []).flatMap((write) =>
    write.kind === 'merge' && canRestart(write) ? [write.ref] : [],
  );
  if (refs.length === 0 || written.kind !== 'changed') return written;
  const kube = run.on.kube(run.site.cluster);
  const { failure, words } = await run.step('settle', (step) => settle(run, kube, refs, step));
  return failure ?? { ...written, note: `Restarted: ${words.join(', ')}.` };
}
