import { at, text } from '../../core/json.ts';
import { ended, type Find, kubectl, nameOf, sentence } from './finding.ts';
import { claimNames, type Picture, warned } from './picture.ts';

/** A claim that the pods name and that is not there. */
export const noClaim: Find = (picture) => {
  const there = new Set(picture.claims.map(nameOf));
  const unseen = picture.unseen.some((part) => part.startsWith('PersistentVolumeClaim'));
  const name = claimNames(picture.pods).find((claim) => !there.has(claim));
  if (name === undefined || unseen) return undefined;
  return {
    code: 'no-claim',
    what: `the volume claim ${name} is missing`,
    cause: `The pods mount the PersistentVolumeClaim ${name}, which is not in the namespace ${picture.place.namespace}.`,
    remedy: 'Make the claim, or correct the name; these are there:',
    command: kubectl(picture, 'get', 'persistentvolumeclaims'),
  };
};

/** A claim that got no volume. */
export const unboundClaim: Find = (picture) => {
  const claim = picture.claims.find((each) => at(each, 'status', 'phase') !== 'Bound');
  const unscheduled = picture.pods.some((pod) => !at(pod, 'spec', 'nodeName'));
  if (!claim || !unscheduled) return undefined;
  const name = nameOf(claim);
  const storage = text(at(claim, 'spec', 'storageClassName'));
  const failed = warned(picture, 'ProvisioningFailed', claim);
  const of = storage === '' ? 'no storage class, and the cluster has no default one' : `the storage class ${storage}`;
  const lost = at(claim, 'status', 'phase') === 'Lost';
  return {
    code: 'unbound-claim',
    what: lost ? `the volume of the claim ${name} is lost` : `the volume claim ${name} gets no volume`,
    cause: `It wants ${of}.${failed ? ` The cluster says: ${ended(text(failed.message))}` : ''}`,
    remedy: 'Name a storage class that exists, or give the cluster a volume that fits:',
    command: kubectl(picture, 'describe', 'persistentvolumeclaim', name),
  };
};

/** What the kubelet last said of a volume that it can't mount, of pods that wait for it. */
export function mountProblem(picture: Picture): { pod: string; said: string } | undefined {
  for (const pod of picture.pods) {
    const begun = at(pod, 'status', 'phase') !== 'Pending';
    const event = warned(picture, 'FailedMount', pod) ?? warned(picture, 'FailedAttachVolume', pod);
    if (!begun && event) return { pod: nameOf(pod), said: text(event.message) };
  }
  return undefined;
}

/** A volume that the node can't have: another node holds it, or its storage fails. Settings are another family's. */
export const noMount: Find = (picture) => {
  const problem = mountProblem(picture);
  if (!problem || /(configmap|secret) "[^"]{0,253}" not found|references non-existent/i.test(problem.said))
    return undefined;
  const held = problem.said.includes('Multi-Attach');
  return {
    code: held ? 'volume-held' : 'mount',
    what: held ? 'another node still holds its volume' : 'a volume can’t be mounted',
    cause: sentence(problem.said),
    remedy: held ? 'Wait until the pod there has ended, or end it:' : 'See what the storage says:',
    command: kubectl(picture, 'describe', 'pod', problem.pod),
  };
};
