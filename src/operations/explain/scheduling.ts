import { unschedulable } from '../../core/containers.ts';
import { type Find, type Finding, kubectl, kubectlName } from './finding.ts';
import type { Picture } from './picture.ts';

/** Why nodes don't take a pod. A node that fits but for what comes first here is nearer to taking it than one that doesn't. */
const reasons: readonly { says: RegExp; code: string; what: (found: string) => string; remedy: string }[] = [
  {
    says: /Insufficient ([\w./-]*\w)/,
    code: 'no-room',
    what: (resource) => `no node has enough ${resource}`,
    remedy: 'Lower the requests, or add nodes:',
  },
  {
    says: /Too many pods/,
    code: 'no-room',
    what: () => 'no node takes another pod',
    remedy: 'Add nodes, or end pods:',
  },
  {
    says: /untolerated taint(?:\(s\))? ?(\{[^}]*\})?/,
    code: 'taint',
    what: (taint) => `the nodes have ${taint === '' ? 'taints' : `the taint ${taint}`} that its pods don’t tolerate`,
    remedy: 'Give the pods a toleration for it, or take the taint away once its reason is over:',
  },
  {
    says: /didn't have free ports/,
    code: 'host-port',
    what: () => 'its host port is taken on every node',
    remedy: 'Take hostPort out of the pods (a Service does better), or add nodes:',
  },
  {
    says: /volume node affinity conflict/,
    code: 'volume-elsewhere',
    what: () => 'its volume is where no node can take it',
    remedy: 'See where the volume is, and which nodes are there:',
  },
  {
    says: /topology spread|anti-affinity|pod affinity/,
    code: 'spread',
    what: () => 'its rules about where pods go leave no node',
    remedy: 'Loosen the affinity or spread constraints, or add nodes:',
  },
  {
    says: /node affinity\/selector|node\(s\) didn't match/,
    code: 'node-selector',
    what: () => 'no node has the labels it wants',
    remedy: 'Correct nodeSelector or affinity, or label a node:',
  },
];

const commands: Record<string, string> = {
  taint: 'kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints',
  'node-selector': 'kubectl get nodes --show-labels',
  'volume-elsewhere': 'kubectl get persistentvolumes -o wide',
};

/** The first of the pods that no node takes, in the scheduler's words. */
function waiting({ pods }: Picture): string | undefined {
  return pods.map(unschedulable).find((said) => said !== undefined);
}

/** What the scheduler says without what it thinks of preemption. */
const mainPart = (said: string) => said.replace(/(preemption: .*|no new claims to deallocate.*)$/s, '').trim();

/** No node takes the pods. Claims that are not bound are another family's. */
export const noNode: Find = (picture): Finding | undefined => {
  const said = waiting(picture);
  if (said === undefined || said.toLowerCase().includes('persistentvolumeclaim')) return undefined;
  const reason = reasons.find(({ says }) => says.test(said));
  const cause = `The scheduler says: ${mainPart(said)}`;
  if (!reason)
    return {
      code: 'unschedulable',
      what: 'no node takes its pods',
      cause,
      remedy: 'See what the nodes have and what the pods ask for:',
      command: 'kubectl describe nodes',
    };
  const { code, what, remedy, says } = reason;
  const command = code === 'no-room' ? 'kubectl describe nodes' : commands[code];
  return {
    code,
    what: what(says.exec(said)?.[1] ?? ''),
    cause,
    remedy,
    command: command ?? kubectl(picture, 'edit', kubectlName(picture)),
    ...(code === 'no-room' && { goBack: true }),
  };
};
