import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about Docker hosts and Harbor. */
export const hostFaults = {
  UNKNOWN_DOCKER_HOST: {
    status: 404,
    retry: 'never',
    say: 'There is no Docker host “{name}” in shipmate.yaml.{near}',
    hint: 'Known hosts (dockerHosts): {known}.',
  },
  DOCKER_HOST_NOT_YOURS: {
    status: 403,
    retry: 'never',
    say: 'The Docker host “{host}” is for {who}.',
    hint: 'Ask one of them, or have dockerHosts.{host}.who changed in shipmate.yaml.',
  },
  DOCKER_HOST_UNREACHABLE: {
    status: 503,
    retry: 'later',
    say: 'The Docker host “{host}” does not answer: {problem}.',
    hint: 'Check that dockerd runs there and that dockerHosts.{host} in shipmate.yaml is right, then ask again.',
  },
  DOCKER_HOST_REFUSED: {
    status: 422,
    retry: 'never',
    say: 'The Docker host “{host}” refused it: {problem}',
    hint: 'Correct it and ask again.',
  },
  ANOTHER_BY_NOW: {
    status: 409,
    retry: 'never',
    say: 'The {kind} {name} is another one than when this was planned.',
    hint: 'It was left as it is. Ask again: the plan is then of what it is now.',
  },
  CONTAINER_DIED: {
    status: 422,
    retry: 'never',
    say: 'The container {name} on {host} was started and {problem}',
    hint: 'It is still there: /ship docker logs {name} on {host}',
  },
  HARBOR_OFF: {
    status: 422,
    retry: 'never',
    say: 'shipmate.yaml names no Harbor.',
    hint: 'Add harbor.url, and set HARBOR_USERNAME and HARBOR_PASSWORD.',
  },
  HARBOR_UNREACHABLE: {
    status: 503,
    retry: 'later',
    say: 'Harbor at {url} does not answer: {problem}.',
    hint: 'Check that it is up, then ask again.',
  },
  HARBOR_REFUSED: {
    status: 422,
    retry: 'never',
    say: 'Harbor refused it: {problem}',
    hint: '{hint}',
  },
  HOOK_OFF: {
    status: 401,
    retry: 'never',
    say: 'This Shipmate takes no webhooks of {system}: {variable} is not set.',
    hint: 'Set it here and there, as docs/images.md says.',
  },
  HOOK_REFUSED: {
    status: 401,
    retry: 'never',
    say: 'The webhook does not show {system}’s secret, or a wrong one.',
    hint: 'What {system} sends must be what {variable} holds here; docs/images.md says where it stands there.',
  },
  ONLY_IN_PERSON: {
    status: 422,
    retry: 'never',
    say: '“{operation}” makes a secret that is shown once, to its asker alone, and there is no way to do so from here.',
    hint: 'Nothing was made. Ask for it in Slack.',
  },
} as const satisfies Record<string, FaultEntry>;
