import { containerStates } from '../../core/containers.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { condition, isComplete, list } from '../../core/observed.ts';
import { ended, type Find, type Finding, kubectl, kubectlName, nameOf, sentence } from './finding.ts';
import type { Picture } from './picture.ts';
import { probeFailure } from './starts.ts';

const notReady = ({ pods }: Picture) => pods.filter((pod) => condition(pod, 'Ready')?.status === 'False');

/** How often a probe may fail before it counts. */
function patience(pod: JsonObject, container: string, kind: 'Readiness' | 'Startup'): number {
  const spec = list(at(pod, 'spec', 'containers')).find(({ name }) => name === container);
  const threshold = at(spec, kind === 'Readiness' ? 'readinessProbe' : 'startupProbe', 'failureThreshold');
  return typeof threshold === 'number' ? threshold : 3;
}

/** It runs, and its readiness probe says no. */
export const unready: Find = (picture): Finding | undefined => {
  for (const pod of notReady(picture))
    for (const { name, ready, running } of containerStates(pod)) {
      if (ready || !running) continue;
      const kinds = ['Readiness', 'Startup'] as const;
      const where = { pod: nameOf(pod), container: name };
      for (const kind of kinds) {
        const failure = probeFailure(picture, kind, where);
        // An app that is only just starting fails a probe or two.
        if (!failure || failure.count < patience(pod, name, kind)) continue;
        const refused = /connection refused|dial tcp/.test(failure.said);
        return {
          code: kind === 'Readiness' ? 'unready' : 'startup-probe',
          what: `the container ${name} runs, but its ${kind.toLowerCase()} probe fails`,
          cause: ended(`The probe says: ${failure.said}`),
          remedy: refused
            ? 'Nothing listens where the probe asks: correct its port, or see in the logs why the app does not listen:'
            : 'Correct the probe, or see in the logs why the app answers so:',
          command: kubectl(picture, 'logs', where.pod, '-c', name, '--tail=50'),
          goBack: true,
        };
      }
    }
  return undefined;
};

/** All its containers are ready, and something outside has not said yes. */
export const gateClosed: Find = (picture): Finding | undefined => {
  for (const pod of notReady(picture)) {
    if (condition(pod, 'ContainersReady')?.status !== 'True') continue;
    const gates = list(at(pod, 'spec', 'readinessGates')).map(({ conditionType }) => text(conditionType));
    const shut = gates.find((gate) => condition(pod, gate)?.status !== 'True');
    if (shut === undefined) continue;
    return {
      code: 'readiness-gate',
      what: 'its pods wait for a readiness gate',
      cause: `The containers of ${nameOf(pod)} are ready; the condition ${shut} is not (yet) true.`,
      remedy: 'See whether the program that sets this condition (a load balancer’s, say) runs:',
      command: kubectl(picture, 'get', 'pod', nameOf(pod), '-o', 'jsonpath={.status.conditions}'),
    };
  }
  return undefined;
};

/** Pods that the node threw out. */
export const evicted: Find = (picture): Finding | undefined => {
  const out = picture.allPods.filter(
    (pod) => at(pod, 'status', 'reason') === 'Evicted' && nameOf(pod).startsWith(`${picture.place.workload}-`),
  );
  const [newest] = out.slice(-1);
  if (!newest) return undefined;
  return {
    code: 'evicted',
    what: `${out.length === 1 ? 'a pod was' : `${out.length} pods were`} thrown off the node`,
    cause: sentence(text(at(newest, 'status', 'message')) || 'The node was short of something'),
    remedy: 'Give the pods requests that tell what they need, so that they go where it is:',
    command: kubectl(picture, 'describe', 'pod', nameOf(newest)),
    risk: true,
  };
};

/** The rollout took longer than it may, and nothing else tells why. */
export const overdue: Find = (picture): Finding | undefined => {
  const progressing = condition(picture.workload, 'Progressing');
  if (progressing?.reason !== 'ProgressDeadlineExceeded' || isComplete(picture.workload)) return undefined;
  return {
    code: 'deadline',
    what: 'its rollout is past its deadline',
    cause: sentence(text(progressing.message)),
    remedy: 'Look at its pods, or go back to the version before:',
    command: kubectl(picture, 'rollout', 'undo', kubectlName(picture)),
    goBack: true,
  };
};
