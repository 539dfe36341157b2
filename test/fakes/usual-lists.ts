import type { ListTypes } from '../../src/core/list-types.ts';

/** The keys of the lists of pods and Services, by the fields that hold them, as the API's own documents have them. */
const keys: Record<string, string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  conditions: ['type'],
  ownerReferences: ['uid'],
};

/** What the lists of the usual kinds are, for tests without a cluster. */
export const usualLists: ListTypes = (fields) => {
  const field = fields.at(-1) ?? '';
  if (field === 'finalizers') return { kind: 'set' };
  if (field === 'ports')
    return { kind: 'map', keys: [fields.includes('containers') ? 'containerPort' : 'port', 'protocol'] };
  const found = keys[field];
  return found ? { kind: 'map', keys: found } : { kind: 'atomic' };
};
