import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about building images and about registries. */
export const imageFaults = {
  NO_BUILD: {
    status: 422,
    retry: 'never',
    say: 'shipmate.yaml does not say how {app} is built.',
    hint: 'Add apps.{app}.build.context (the folder with its Dockerfile), or apps.{app}.build.git.',
  },
  IMAGE_UNPINNED: {
    status: 422,
    retry: 'never',
    say: '{image} is named by a tag, and {env} takes only images that were looked at: under a tag may be another one by the time it is pulled.',
    hint: 'Nothing was changed. Name it by its digest: NAME@sha256:… (/ship tags shows it).',
  },
  CONTEXT_REFUSED: {
    status: 422,
    retry: 'never',
    say: 'The build context {context} is not taken: {problem}.',
    hint: '{hint}',
  },
  CONTEXT_CHANGED: {
    status: 409,
    retry: 'never',
    say: 'The build context {context} is not what it was when the build was planned.',
    hint: 'Nothing was pushed. Ask again: it is planned anew on what is there now.',
  },
  NO_ROOM: {
    status: 503,
    retry: 'later',
    say: 'There is no room here for the build context {context}: the disk is full.',
    hint: 'Make room where the worker keeps its temporary files (TMPDIR), then ask again.',
  },
  BUILD_FAILED: {
    status: 422,
    retry: 'never',
    say: 'The build of {image} failed: {problem}',
    hint: 'The thread has the end of the build log. Mend it and build again.',
  },
  BUILDX_MISSING: {
    status: 503,
    retry: 'never',
    say: 'There is no docker buildx here ({problem}).',
    hint: 'Install it where the worker runs (docker-buildx-plugin), or set BUILDX to its path.',
  },
  PUSH_FAILED: {
    status: 502,
    retry: 'never',
    say: 'The push of {image} failed: {problem}',
    hint: 'Check the registry and Shipmate’s credentials for it, then ask again; finished layers are kept.',
  },
  PUSH_BROKE: {
    status: 503,
    retry: 'later',
    say: 'The push of {image} broke off: {problem}',
    hint: 'Check that the registry is up, then ask again; finished layers are kept.',
  },
  NOT_PUSHABLE: {
    status: 422,
    retry: 'never',
    say: 'Images may not be pushed to {repository}.',
    hint: 'Allowed are the apps’ own repositories and builds.repositories of shipmate.yaml: {allowed}.',
  },
  IMAGE_IN_USE: {
    status: 409,
    retry: 'never',
    say: '{image} runs, so it is not deleted: {where}.',
    hint: 'Deploy another version there first.',
  },
  REGISTRY_UNREACHABLE: {
    status: 503,
    retry: 'later',
    say: 'The registry {registry} does not answer ({problem}).',
    hint: 'Check the registry, then ask again.',
  },
  REGISTRY_FORBIDDEN: {
    status: 403,
    retry: 'never',
    say: 'The registry {registry} refused Shipmate’s credentials.',
    hint: 'Check REGISTRY_USERNAME and REGISTRY_PASSWORD, or registries of shipmate.yaml; they may have expired.',
  },
  REGISTRY_REFUSED: {
    status: 502,
    retry: 'never',
    say: 'The registry {registry} refused it: {problem}.',
    hint: 'Nothing was tagged. Ask whoever runs the registry, then ask again.',
  },
} as const satisfies Record<string, FaultEntry>;
