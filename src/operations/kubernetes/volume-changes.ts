import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { compareQuantities } from '../../core/quantity.ts';
import { some } from '../../core/some.ts';
import { nameIn } from './reading.ts';
import { claimKind, mountersOf } from './volumes.ts';
import { missing, planWrites, runWrites, writeSteps } from './writes.ts';

const Size = z
  .string()
  .regex(/^[1-9]\d*(\.\d+)?([KMGTPE]i?|k)$/, 'must be a size such as 10Gi')
  .describe('Its size')
  .meta({ examples: ['10Gi'] });

const Name = ObjectName.describe('The volume’s claim');

/** Finds a claim. @throws Fault NO_SUCH_OBJECT, with the nearest name */
async function claimOf({ on, site, signal }: PlanContext<'kube'>, name: string): Promise<JsonObject> {
  const kube = on.kube(site.cluster);
  const ref = { ...claimKind, namespace: site.namespace, name };
  const found = await kube.read(ref, signal);
  if (found) return found;
  throw missing(
    ref,
    didYouMean(name, (await kube.list({ ...claimKind, namespace: site.namespace }, signal)).map(nameIn)),
  );
}

const needs = { effect: 'change', needs: ['kube'], steps: writeSteps } as const;

export const volumeCreate = defineOperation({
  ...needs,
  name: 'volume-create',
  summary: 'Make a PersistentVolumeClaim',
  input: z.strictObject({
    name: Name,
    size: Size,
    env: EnvRef,
    class: ObjectName.optional().describe('The storage class; the cluster’s default where it is left out'),
    mode: z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadOnlyMany', 'ReadWriteMany']).optional(),
  }),
  usage: '<name> <size> in <env> [class=<class>] [mode=<mode>]',
  examples: ['uploads 10Gi in staging', 'uploads 10Gi in staging class=fast mode=ReadWriteMany'],
  permissions: ['get,create persistentvolumeclaims'],
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { name, size, class: storageClassName, mode = 'ReadWriteOnce' }) => {
    const kube = on.kube(site.cluster);
    const { namespace } = site;
    if (await kube.read({ ...claimKind, namespace, name }, signal))
      throw fault('OBJECT_EXISTS', { kind: claimKind.kind, name, where: namespace });
    const spec = {
      accessModes: [mode],
      resources: { requests: { storage: size } },
      ...(storageClassName !== undefined && { storageClassName }),
    };
    const manifest = { ...claimKind, metadata: { name, namespace }, spec };
    const planned = await planWrites(kube, [{ kind: 'create', manifest }], signal);
    const undo = { operation: 'volume-delete', input: { name, env: site.env } };
    return { summary: `new volume ${name} of ${size}`, ...planned, undo };
  },
  run: (run) => runWrites(run),
});

export const volumeResize = defineOperation({
  ...needs,
  name: 'volume-resize',
  summary: 'Make a PersistentVolumeClaim larger; smaller is not possible',
  input: z.strictObject({ name: Name, size: Size, env: EnvRef }),
  usage: '<name> to <size> in <env>',
  examples: ['data to 20Gi in staging'],
  permissions: ['get,list,patch persistentvolumeclaims', 'get storageclasses.storage.k8s.io'],
  target: ({ env }) => ({ env }),
  plan: async (context, { name, size }) => {
    const { on, site, signal } = context;
    const kube = on.kube(site.cluster);
    const claim = await claimOf(context, name);
    const now = text(at(claim, 'spec', 'resources', 'requests', 'storage'));
    if (compareQuantities(size, now) < 0) {
      const problem = `A volume can’t be made smaller: ${name} has ${now}, and ${size} is less. Make a new one and copy the data.`;
      throw fault('BAD_INPUT', { problem });
    }
    const className = text(at(claim, 'spec', 'storageClassName'));
    const storageClass =
      className === ''
        ? undefined
        : await kube.read(
            { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', namespace: '', name: className },
            signal,
          );
    if (storageClass && storageClass.allowVolumeExpansion !== true)
      throw fault('BAD_INPUT', {
        problem: `Volumes of the storage class “${className}” can’t grow: it has no allowVolumeExpansion.`,
      });
    const ref = { ...claimKind, namespace: site.namespace, name };
    const patch = { spec: { resources: { requests: { storage: size } } } };
    const planned = await planWrites(kube, [{ kind: 'merge', ref, patch }], signal);
    return { summary: `volume ${name}: ${now} → ${size}; there is no way back`, ...planned };
  },
  run: (run) => runWrites(run),
});

/** What becomes of the data, as the volume behind the claim says. */
async function fateOf({ on, site, signal }: PlanContext<'kube'>, claim: JsonObject): Promise<string> {
  const name = text(at(claim, 'spec', 'volumeName'));
  if (name === '') return 'it holds no data yet';
  const ref = { apiVersion: 'v1', kind: 'PersistentVolume', namespace: '', name };
  const volume = await on.kube(site.cluster).read(ref, signal);
  return at(volume, 'spec', 'persistentVolumeReclaimPolicy') === 'Retain'
    ? `its data stays in PersistentVolume/${name}`
    : 'its data is deleted with it, for good';
}

export const volumeDelete = defineOperation({
  ...needs,
  name: 'volume-delete',
  summary: 'Delete a PersistentVolumeClaim that nothing mounts',
  input: z.strictObject({ name: Name, env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['data in staging'],
  permissions: ['get,list,delete persistentvolumeclaims', 'list pods', 'get persistentvolumes'],
  target: ({ env }) => ({ env }),
  plan: async (context, { name }) => {
    const { on, site, signal } = context;
    const { namespace } = site;
    const kube = on.kube(site.cluster);
    const claim = await claimOf(context, name);
    // Asked for now: a watch could be a moment behind a pod that has just been made.
    const pods = mountersOf(name, await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace }, signal));
    if (pods.length > 0) {
      const way = 'Stop what mounts it first.';
      throw fault('STILL_USED', { kind: claimKind.kind, name, users: some(pods), way });
    }
    const planned = await planWrites(kube, [{ kind: 'remove', ref: { ...claimKind, namespace, name } }], signal);
    return { summary: `deletes the volume ${name}: ${await fateOf(context, claim)}`, ...planned };
  },
  run: (run) => runWrites(run),
});
