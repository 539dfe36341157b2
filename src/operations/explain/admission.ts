import { at, isObject, text } from '../../core/json.ts';
import { condition, countOf } from '../../core/observed.ts';
import { type Find, type Finding, kubectl, kubectlName, nameOf, sentence } from './finding.ts';
import { type Picture, warned } from './picture.ts';

/** Pods that never come to be: whoever makes them is told no, and says so in its status or in an event. */
function refusal(picture: Picture): string | undefined {
  const { workload, replicaSet, job, pods } = picture;
  if (pods.length >= Math.max(1, countOf(workload).replicas)) return undefined;
  const failure = replicaSet && condition(replicaSet, 'ReplicaFailure');
  if (failure?.status === 'True') return text(failure.message);
  const events = [replicaSet, job, workload].map((maker) => warned(picture, 'FailedCreate', maker));
  return text(events.find((event) => event !== undefined)?.message) || undefined;
}

/** `small` and what it allows, in `exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0`. */
const exceeded = 'exceeded quota: ';
const sides = ['requested: ', 'used: ', 'limited: '];

/** The quota's name, and what was asked, is used and is the limit. */
function exceededIn(said: string): (string | undefined)[] {
  const at = said.indexOf(exceeded);
  const [name, ...rest] = at < 0 ? [] : said.slice(at + exceeded.length).split(', ');
  const found = sides.map((side, index) =>
    rest[index]?.startsWith(side) ? rest[index].slice(side.length) : undefined,
  );
  return found.includes(undefined) ? [] : [name, ...found];
}

function quotaCause(picture: Picture, said: string): Pick<Finding, 'cause' | 'command'> {
  const [name, requested, used, limited] = exceededIn(said);
  const known = name ?? /(?:exceeded|failed) quota: ([^:,]+)/.exec(said)?.[1];
  const command = kubectl(picture, 'describe', 'resourcequota', ...(known === undefined ? [] : [known]));
  if (name === undefined) return { cause: sentence(said), command };
  return {
    cause: `The quota ${name} allows ${limited}, of which ${used} is used; one more pod needs ${requested}.`,
    command,
  };
}

/** The namespace's quota has no room for another pod. */
export const quotaExceeded: Find = (picture) => {
  const said = refusal(picture);
  if (said?.includes('exceeded quota'))
    return {
      code: 'quota',
      what: 'the namespace’s quota is used up',
      ...quotaCause(picture, said),
      remedy: 'Lower the requests or replicas, end something else there, or raise the quota.',
    };
  if (!said?.includes('failed quota')) return undefined;
  return {
    code: 'quota-wants-requests',
    what: 'the namespace’s quota wants pods to say what they need',
    ...quotaCause(picture, said),
    remedy: 'Give every container the requests and limits that the quota names.',
  };
};

/** What of a pod counts; the rest of a quota is about other kinds. */
const countsPods = /^(pods|(requests|limits)\.(cpu|memory)|cpu|memory)$/;

/** A quota without room for one more: all is well until the next rollout or scale-up. */
export const quotaFull: Find = (picture) => {
  for (const quota of picture.quotas) {
    const [hard, used] = [at(quota, 'status', 'hard'), at(quota, 'status', 'used')];
    const full = Object.entries(isObject(hard) ? hard : {}).find(
      ([resource, most]) => countsPods.test(resource) && most !== '0' && at(used, resource) === most,
    );
    if (!full) continue;
    const [resource, most] = full;
    return {
      code: 'quota-full',
      what: `the namespace’s quota of ${resource} is full`,
      cause: `The quota ${nameOf(quota)} allows ${text(most)}, and all of it is used: a rollout or scale-up finds no room.`,
      remedy: 'Lower requests or replicas, end something else there, or raise the quota:',
      command: kubectl(picture, 'describe', 'resourcequota', nameOf(quota)),
      risk: true,
    };
  }
  return undefined;
};

/** The pods' service account is not there. */
export const noServiceAccount: Find = (picture) => {
  const name = /serviceaccounts? "([^"]+)" not found/.exec(refusal(picture) ?? '')?.[1];
  if (name === undefined) return undefined;
  return {
    code: 'service-account',
    what: `the service account ${name} is missing`,
    cause: `The pods are to run as ${name}, which is not in the namespace ${picture.place.namespace}, so none is made.`,
    remedy: 'Make the service account, or correct serviceAccountName:',
    command: kubectl(picture, 'create', 'serviceaccount', name),
  };
};

/** The API server does not let the pods in. */
export const admissionRefused: Find = (picture) => {
  const said = refusal(picture);
  if (said === undefined) return undefined;
  const edit = kubectl(picture, 'edit', kubectlName(picture));
  const security = said.slice(Math.max(0, said.indexOf('violates PodSecurity')));
  const [, level = '', violations = ''] = /^violates PodSecurity "([^":]+)(?::[^"]*)?": (.+)$/s.exec(security) ?? [];
  if (level !== '')
    return {
      code: 'pod-security',
      what: `the namespace’s Pod Security (${level}) refuses its pods`,
      cause: sentence(violations),
      remedy:
        'Set these fields of the pods’ securityContext, or have the namespace’s level changed by whoever owns it:',
      command: edit,
    };
  const webhook = /admission webhook "([^"]+)" denied the request:? ?(.*)$/s.exec(said);
  const broken = /failed calling webhook "([^"]+)": (.*)$/s.exec(said);
  if (broken)
    return {
      code: 'webhook-away',
      what: `the admission webhook ${broken[1] ?? ''} does not answer`,
      cause: sentence(broken[2] ?? ''),
      remedy: 'See whether the program behind it runs; until it does, no pod is let in:',
      command: 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    };
  return {
    code: 'admission',
    what: webhook ? `the admission webhook ${webhook[1] ?? ''} refuses its pods` : 'the cluster refuses its pods',
    cause: sentence(webhook?.[2] || said.replace(/^.*? is forbidden: /s, '')),
    remedy: 'Correct what it names:',
    command: edit,
  };
};

/** The workload's own controller has not taken note of it. */
export const unnoticed: Find = (picture) => {
  const { workload } = picture;
  const generation = Number(at(workload, 'metadata', 'generation') ?? 0);
  const observed = Number(at(workload, 'status', 'observedGeneration') ?? 0);
  const born = Date.parse(text(at(workload, 'metadata', 'creationTimestamp')));
  const old = picture.now - born > 60_000;
  if (picture.place.kind === 'Job' || picture.place.kind === 'CronJob' || observed >= generation || !old)
    return undefined;
  return {
    code: 'unnoticed',
    what: 'the cluster does not act on its last change',
    cause: `The controller saw generation ${observed} of ${generation}.`,
    remedy: 'See whether the controller manager runs:',
    command: 'kubectl get --raw /readyz?verbose',
  };
};
