import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { some } from '../../core/some.ts';
import { ageOf, byName, list, nameIn, words } from './reading.ts';
import { showsEnvironment } from './shows-environment.ts';

export const claimKind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' } as const;

const over = new Set(['Succeeded', 'Failed']);

/** Names of the pods that mount a claim and are not over. */
export function mountersOf(claim: string, pods: readonly JsonObject[]): string[] {
  return pods
    .filter((pod) => !over.has(text(at(pod, 'status', 'phase'))))
    .filter((pod) =>
      list(at(pod, 'spec', 'volumes')).some((volume) => at(volume, 'persistentVolumeClaim', 'claimName') === claim),
    )
    .map(nameIn);
}

/** Why a claim waits, in the words of its newest event. */
async function whyPending(kube: Kube, namespace: string, signal: AbortSignal): Promise<Map<string, string>> {
  const fields = `involvedObject.kind=${claimKind.kind}`;
  const events = await kube.list({ apiVersion: 'v1', kind: 'Event', namespace, fields }, signal);
  const lastAt = (event: JsonObject) => text(event.lastTimestamp) || text(at(event, 'metadata', 'creationTimestamp'));
  const oldestFirst = events.sort((a, b) => lastAt(a).localeCompare(lastAt(b)));
  return new Map(oldestFirst.map((event) => [text(at(event, 'involvedObject', 'name')), text(event.message)]));
}

const short: Record<string, string> = {
  ReadWriteOnce: 'one node writes',
  ReadOnlyMany: 'many read',
  ReadWriteMany: 'many write',
  ReadWriteOncePod: 'one pod writes',
};

function sizeOf(claim: JsonObject): string {
  const asked = text(at(claim, 'spec', 'resources', 'requests', 'storage'));
  const has = text(at(claim, 'status', 'capacity', 'storage'));
  return has === '' || has === asked ? asked : `${has} (asked for ${asked})`;
}

export const volumes = showsEnvironment({
  name: 'volumes',
  summary: 'List PersistentVolumeClaims with size, state and who mounts them',
  rest: { path: '/volumes/:namespace', summary: 'PersistentVolumeClaims and who mounts them' },
  permissions: ['list,watch persistentvolumeclaims,pods', 'list events'],
  look: async (run, signal) => {
    const { cluster, namespace, env } = run.site;
    const kube = run.on.kube(cluster);
    const [claims, pods] = await Promise.all([
      kube.list({ ...claimKind, namespace }, signal),
      kube.look('Pod', namespace, signal),
    ]);
    const isBound = (claim: JsonObject) => at(claim, 'status', 'phase') === 'Bound';
    const why = claims.every(isBound) ? new Map<string, string>() : await whyPending(kube, namespace, signal);
    const stateOf = (claim: JsonObject) => {
      const phase = at(claim, 'metadata', 'deletionTimestamp') ? 'Terminating' : text(at(claim, 'status', 'phase'));
      const reason = isBound(claim) ? '' : (why.get(nameIn(claim)) ?? '');
      return [phase, reason].filter(Boolean).join(': ');
    };
    return {
      kind: 'table' as const,
      title: `Volumes in ${env}`,
      columns: ['Volume', 'State', 'Size', 'Class', 'Access', 'Mounted by', 'Age'],
      rows: claims.sort(byName).map((claim) => [
        nameIn(claim),
        stateOf(claim),
        sizeOf(claim),
        text(at(claim, 'spec', 'storageClassName')),
        words(at(claim, 'spec', 'accessModes'))
          .map((mode) => short[mode] ?? mode)
          .join(', '),
        some(mountersOf(nameIn(claim), pods.objects)),
        ageOf(claim, run.now()),
      ]),
    };
  },
});
