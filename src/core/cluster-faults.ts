import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about clusters: what they refuse, what isn't there, and what was done only in part. */
export const clusterFaults = {
  IMMUTABLE: {
    status: 409,
    retry: 'never',
    say: '{kind}/{name} is immutable: its values cannot be changed.',
    hint: 'Make a new one under another name, and point its consumers there.',
  },
  NOT_OURS: {
    status: 409,
    retry: 'never',
    say: '{kind}/{name} was not made by Shipmate, so it is not Shipmate’s to take away.',
    hint: 'Whoever made it can; nothing was changed.',
  },
  GRANT_BEYOND: {
    status: 403,
    retry: 'never',
    say: 'Shipmate itself may not {lacking} in {namespace}, so it lets nobody else.',
    hint: 'Nothing was changed. Whoever looks after the cluster can grant it with kubectl.',
  },
  NOT_MAPPED: {
    status: 403,
    retry: 'never',
    say: 'shipmate.yaml does not say who {who} is in the cluster.',
    hint: 'Add kubernetes.user (and kubernetes.groups) to that person under people.',
  },
  DRAIN_NEEDS_FORCE: {
    status: 409,
    retry: 'never',
    say: 'Draining {node} would lose something for good: {what}.',
    hint: 'Nothing was changed. Where that may be lost, ask again with force=yes.',
  },
  DRAIN_STUCK: {
    status: 409,
    retry: 'never',
    say: '{node} is not empty after {minutes} minutes. Still there: {left}.',
    hint: 'It stays cordoned. Mend what blocks it and ask for the drain again, or /ship uncordon {node}.',
  },
  GIT_FAILED: {
    status: 422,
    retry: 'never',
    say: '{url} could not be read: {problem}.',
    hint: 'Nothing was changed. Check address, ref and path; hosts that are allowed stand under manifests.gitHosts in shipmate.yaml.',
  },
  MANAGED_ELSEWHERE: {
    status: 409,
    retry: 'never',
    say: '{kind}/{name} is made by {owner}: what is changed here would be changed back.',
    hint: 'Nothing was changed. Change {owner} instead.',
  },
  NOT_SEALED: {
    status: 422,
    retry: 'never',
    say: '“{operation}” takes secret values, and Shipmate stores what it is asked: without ENCRYPTION_KEY anybody who reads its Redis could read them.',
    hint: 'Nothing was stored. Set ENCRYPTION_KEY (openssl rand -hex 32), start Shipmate anew, and ask again.',
  },
  OBJECT_EXISTS: {
    status: 409,
    retry: 'never',
    say: 'There is a {kind} “{name}” in {where} already.',
    hint: 'Nothing was changed. Choose another name, or change the one that is there.',
  },
  STILL_USED: {
    status: 409,
    retry: 'never',
    say: '{kind}/{name} is still in use by {users}.',
    hint: 'Nothing was changed. {way}',
  },
  PROTECTED: {
    status: 403,
    retry: 'never',
    say: '{kind}/{name} is not deleted: {why}.',
    hint: '{way}',
  },
  NO_SUCH_OBJECT: {
    status: 404,
    retry: 'never',
    say: 'There is no {kind} “{name}” in {where}.{near}',
    hint: 'Nothing was changed. Check the name and ask again.',
  },
  CLUSTER_UNREACHABLE: {
    status: 503,
    retry: 'later',
    say: 'The cluster “{cluster}” does not answer ({problem}).',
    hint: 'Check its API server, then ask again.',
  },
  CLUSTER_FORBIDDEN: {
    status: 403,
    retry: 'never',
    say: 'The cluster “{cluster}” does not let {who} {what}',
    hint: '{remedy}',
  },
  CLUSTER_REFUSED: {
    status: 422,
    retry: 'never',
    say: 'The cluster “{cluster}” refused it: {problem}',
    hint: 'Nothing was changed. Correct it and ask again.',
  },
  PARTLY_APPLIED: {
    status: 422,
    retry: 'never',
    say: 'Only part of it was done. Done: {done}. Not done: {left}. {problem}',
    hint: 'Nothing is taken back by itself. Mend the cause and ask for the same again: what is done is not done twice.',
  },
  UNKNOWN_KIND: {
    status: 422,
    retry: 'never',
    say: 'The cluster “{cluster}” has no kind {kind} in {apiVersion}.',
    hint: 'Check apiVersion and kind; if it is a custom resource, install its definition (CRD) first.',
  },
  NOT_ALLOW_LISTED: {
    status: 403,
    retry: 'never',
    say: '{what} is not among what shipmate.yaml allows in {env}.',
    hint: 'Allowed ({setting}): {allowed}.',
  },
  EXEC_FAILED: {
    status: 502,
    retry: 'never',
    say: 'The command did not run to its end in {pod} ({container}): {problem}.',
    hint: 'Check that the container runs and has that program, then ask again.',
  },
  NAMESPACE_MISSING: {
    status: 422,
    retry: 'never',
    say: 'The namespace {namespace} does not exist in the cluster “{cluster}”.',
    hint: 'Create it: /ship namespace create {namespace} in …',
  },
} as const satisfies Record<string, FaultEntry>;
