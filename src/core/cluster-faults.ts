import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about clusters: what they refuse, what isn't there, and what was done only in part. */
export const clusterFaults = {
  IMMUTABLE: {
    status: 409,
    retry: 'never',
    say: '{kind}/{name} is immutable: its values cannot be changed.',
    hint: 'Make a new one under another name, and point its consumers there.',
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
    say: 'The cluster “{cluster}” does not let Shipmate do this: {problem}',
    hint: 'Give Shipmate’s service account that permission, then ask again.',
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
    hint: 'Create it: kubectl create namespace {namespace}',
  },
} as const satisfies Record<string, FaultEntry>;
