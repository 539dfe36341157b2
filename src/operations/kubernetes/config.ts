import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { ObjectRef } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Pairs, pairsOf } from './pairs.ts';
import { missing, planWrites, runWrites, writeSteps } from './writes.ts';

/** ConfigMaps and Secrets are set, unset and shown in the same way; only a Secret's values are never seen. */

export type Keeper = 'ConfigMap' | 'Secret';

const refOf = (kind: Keeper, namespace: string, name: string): ObjectRef => ({
  apiVersion: 'v1',
  kind,
  namespace,
  name,
});

const Keys = z.array(z.string().min(1).max(253)).min(1).max(100).describe('The keys to take away');

const dataOf = (object: JsonObject | undefined): JsonObject => {
  const data = at(object, 'data');
  return isObject(data) ? data : {};
};

/** A Secret keeps base64; `stringData` would stay visible to whoever applied it last. */
const stored = (kind: Keeper, value: string) => (kind === 'Secret' ? Buffer.from(value).toString('base64') : value);

/** Plans to set values: in the object where there is one, else in a new one. */
export async function planSet(
  context: PlanContext<'kube'>,
  kind: Keeper,
  { name, values }: { name: string; values: readonly string[] },
): Promise<Draft> {
  const { site, signal } = context;
  const kube = context.on.kube(site.cluster);
  const ref = refOf(kind, site.namespace, name);
  const live = await kube.read(ref, signal);
  if (at(live, 'immutable') === true) throw fault('IMMUTABLE', { kind, name });
  const given = pairsOf(values);
  const data = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, stored(kind, value)]));
  const { apiVersion, namespace } = ref;
  const manifest = { apiVersion, kind, metadata: { name, namespace }, data };
  const wish = live ? { kind: 'merge' as const, ref, patch: { data } } : { kind: 'apply' as const, manifest };
  const planned = await planWrites(kube, [wish], signal);
  const before = dataOf(live);
  const added = Object.keys(data).filter((key) => before[key] === undefined);
  const undo =
    live && kind === 'ConfigMap' && added.length === 0
      ? {
          operation: 'config-set',
          input: { name, env: site.env, values: Object.keys(data).map((key) => `${key}=${String(before[key])}`) },
        }
      : undefined;
  const verb = live ? 'sets' : 'creates it with';
  return { summary: `${kind}/${name}: ${verb} ${Object.keys(data).join(', ')}`, ...planned, ...(undo && { undo }) };
}

/** Plans to take keys away. @throws Fault NO_SUCH_OBJECT for the object, or for a key that it lacks */
export async function planUnset(
  context: PlanContext<'kube'>,
  kind: Keeper,
  { name, keys }: { name: string; keys: readonly string[] },
): Promise<Draft> {
  const { site, signal } = context;
  const kube = context.on.kube(site.cluster);
  const ref = refOf(kind, site.namespace, name);
  const live = await kube.read(ref, signal);
  if (!live) throw missing(ref);
  const data = dataOf(live);
  for (const key of keys)
    if (data[key] === undefined) throw missing({ ...ref, kind: 'key', name: key }, didYouMean(key, Object.keys(data)));
  const patch = { data: Object.fromEntries(keys.map((key) => [key, null])) };
  const planned = await planWrites(kube, [{ kind: 'merge', ref, patch }], signal);
  const values = keys.map((key) => `${key}=${String(data[key])}`);
  const undo = kind === 'ConfigMap' && { undo: { operation: 'config-set', input: { name, env: site.env, values } } };
  return { summary: `${kind}/${name}: takes away ${keys.join(', ')}`, ...planned, ...undo };
}

export const configSet = defineOperation({
  name: 'config-set',
  summary: 'Set values of a ConfigMap',
  effect: 'change',
  input: z.strictObject({ name: ObjectName.describe('The ConfigMap'), env: EnvRef, values: Pairs }),
  usage: '<name> <values>… in <env>',
  examples: ['app-config LOG_LEVEL=debug GREETING="hello there" in staging'],
  needs: ['kube'],
  permissions: ['get,create,patch configmaps'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, input) => planSet(context, 'ConfigMap', input),
  run: (run) => runWrites(run, 'Pods that read it as environment variables see it after a restart.'),
});

export const configUnset = defineOperation({
  name: 'config-unset',
  summary: 'Take keys out of a ConfigMap',
  effect: 'change',
  input: z.strictObject({ name: ObjectName.describe('The ConfigMap'), env: EnvRef, keys: Keys }),
  usage: '<name> <keys>… in <env>',
  examples: ['app-config GREETING in staging'],
  needs: ['kube'],
  permissions: ['get,create,patch configmaps'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, input) => planUnset(context, 'ConfigMap', input),
  run: (run) => runWrites(run),
});
