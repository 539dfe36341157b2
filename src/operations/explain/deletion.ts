import { at, type JsonObject, text } from '../../core/json.ts';
import { list } from '../../core/observed.ts';
import { type Find, type Finding, kubectl, kubectlName, nameOf, sentence } from './finding.ts';
import type { Picture } from './picture.ts';

const finalizersOf = (object: JsonObject): string[] => {
  const found = at(object, 'metadata', 'finalizers');
  return (Array.isArray(found) ? found : []).map(text);
};
const deletedAt = (object: JsonObject | undefined) => Date.parse(text(at(object, 'metadata', 'deletionTimestamp')));
/** These are Kubernetes' own, which take some time and need nobody. */
const passing = new Set(['foregroundDeletion', 'orphan', 'batch.kubernetes.io/job-tracking']);
/** Whoever set a finalizer takes it away soon, if ever. */
const heldMs = 5_000;
/** A pod is told to end by then; its node confirms it soon after. */
const confirmMs = 30_000;

const letGo =
  'See that the program behind the finalizer runs. If it is gone for good, take the finalizer away by hand:';
const withoutFinalizers = '{"metadata":{"finalizers":null}}';

/** The namespace is on its way out: nothing new is let in. */
export function namespaceGoes({ namespace, place }: Pick<Picture, 'namespace' | 'place'>): Finding | undefined {
  if (at(namespace, 'status', 'phase') !== 'Terminating') return undefined;
  const conditions = list(at(namespace, 'status', 'conditions')).filter(({ status }) => status === 'True');
  const said = conditions.map(({ message }) => sentence(text(message)));
  return {
    code: 'namespace-terminating',
    what: `the namespace ${place.namespace} is being deleted`,
    cause: said.join(' ') || 'Somebody deleted it; what is in it goes first, and nothing new is let in.',
    remedy:
      'Wait until it is gone, make it anew and deploy again. If it hangs, whoever set the finalizers must let go.',
    command: `kubectl describe namespace ${place.namespace}`,
  };
}

/** The workload was deleted, and something holds it. */
export const workloadGoes: Find = (picture) => {
  const { workload } = picture;
  if (!Number.isFinite(deletedAt(workload))) return undefined;
  const holding = finalizersOf(workload).filter((name) => !passing.has(name));
  const when = new Date(deletedAt(workload)).toISOString().slice(0, 19).replace('T', ' ');
  if (holding.length === 0)
    return {
      code: 'being-deleted',
      what: 'it is being deleted',
      cause: `Somebody deleted ${kubectlName(picture)} at ${when} UTC; its pods go first.`,
      remedy: 'Wait until it is gone, then deploy it anew if it was not meant.',
      command: kubectl(picture, 'get', kubectlName(picture), '-o', 'yaml'),
    };
  return {
    code: 'stuck-finalizer',
    what: 'its deletion is stuck',
    cause: `Somebody deleted ${kubectlName(picture)} at ${when} UTC, and the finalizer ${holding.join(', ')} holds it.`,
    remedy: letGo,
    command: kubectl(picture, 'patch', kubectlName(picture), '--type=merge', '-p', withoutFinalizers),
  };
};

/** A pod that ought to be gone is still there: held by a finalizer, or its node does not answer. */
export const podStays: Find = (picture) => {
  const late = picture.leaving.filter((pod) => picture.now - deletedAt(pod) > heldMs);
  const held = late.find((pod) => finalizersOf(pod).some((name) => !passing.has(name)));
  if (held)
    return {
      code: 'pod-stuck-finalizer',
      what: 'a deleted pod does not go away',
      cause: `The pod ${nameOf(held)} was deleted, and the finalizer ${finalizersOf(held).join(', ')} holds it.`,
      remedy: letGo,
      command: kubectl(picture, 'patch', `pod/${nameOf(held)}`, '--type=merge', '-p', withoutFinalizers),
      risk: true,
    };
  const lost = late.find((pod) => picture.now - deletedAt(pod) > confirmMs);
  if (!lost) return undefined;
  const node = text(at(lost, 'spec', 'nodeName'));
  return {
    code: 'pod-stuck',
    what: 'a deleted pod does not go away',
    cause: `The pod ${nameOf(lost)} should have ended by now, but its node ${node} does not confirm it.`,
    remedy: `See whether the node ${node} is up. Once it is sure to be off, delete the pod by force:`,
    command: kubectl(picture, 'delete', 'pod', nameOf(lost), '--force', '--grace-period=0'),
    risk: true,
  };
};
