import { setTimeout as sleep } from 'node:timers/promises';
import { at, isObject, type JsonObject } from '../../../src/core/json.ts';
import { kubectl } from '../../support/kubectl.ts';
import { get, put } from './on-the-bed.ts';

/** What Argo Rollouts would do for one Rollout with a canary of three steps: the bed has its kind, but not its controller. */

/** As Argo's own definition has it where it matters: a status of its own, and pods that the API server knows nothing of. */
const definition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'rollouts.argoproj.io' },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: { kind: 'Rollout', plural: 'rollouts', singular: 'rollout', listKind: 'RolloutList', shortNames: ['ro'] },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

export async function installRollouts(): Promise<void> {
  await put(definition);
  await kubectl(['wait', '--for=condition=Established', 'crd/rollouts.argoproj.io', '--timeout=20s']);
}

/** A ReplicaSet for the Rollout's template, whose pods Kubernetes itself makes. */
async function replicaSet(rollout: JsonObject, hash: string, revision: number, replicas: number): Promise<void> {
  const template = at(rollout, 'spec', 'template');
  const labels = { ...Object(at(template, 'metadata', 'labels')), 'rollouts-pod-template-hash': hash };
  const name = String(at(rollout, 'metadata', 'name'));
  const uid = at(rollout, 'metadata', 'uid') ?? '';
  await put({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace: at(rollout, 'metadata', 'namespace') ?? '',
      labels,
      annotations: { 'rollout.argoproj.io/revision': String(revision) },
      ownerReferences: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name, uid, controller: true }],
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { ...(isObject(template) ? template : {}), metadata: { labels } },
    },
  });
}

export type ArgoHand = {
  /** Has seen the Rollout as it is, brings up its pods, and says how it stands. */
  reconcile(hash: string, revision: number, status: JsonObject): Promise<void>;
  /** Waits until a field of the Rollout is as wanted. */
  until(path: readonly string[], wanted: unknown): Promise<void>;
  rollout(): Promise<JsonObject>;
};

export function argoHand(namespace: string, name: string): ArgoHand {
  const rollout = () => get(namespace, 'rollout', name);
  return {
    rollout,
    reconcile: async (hash, revision, status) => {
      const now = await rollout();
      const replicas = Number(at(now, 'spec', 'replicas') ?? 1);
      await replicaSet(now, hash, revision, replicas);
      const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
      const observedGeneration = String(at(now, 'metadata', 'generation'));
      const patch = { status: { ...counts, observedGeneration, currentPodHash: hash, ...status } };
      await kubectl([
        'patch',
        'rollout',
        name,
        '-n',
        namespace,
        '--subresource=status',
        '--type=merge',
        '-p',
        JSON.stringify(patch),
      ]);
    },
    until: async (path, wanted) => {
      for (const end = Date.now() + 15_000; Date.now() < end; ) {
        if (JSON.stringify(at(await rollout(), ...path)) === JSON.stringify(wanted)) return;
        await sleep(100);
      }
      throw new Error(`${path.join('.')} did not become ${JSON.stringify(wanted)}`);
    },
  };
}
