import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about names of apps and environments: what they stand for, and what they can't. */
export const appFaults = {
  UNKNOWN_APP: {
    status: 404,
    retry: 'never',
    say: 'There is no app “{name}” in shipmate.yaml.{near}',
    hint: 'Known apps: {known}. /ship apps shows all that runs. What is no app goes by KIND/NAME, such as deployment/web, and can be looked at so.',
  },
  NOTHING_RUNS: {
    status: 404,
    retry: 'never',
    say: 'Nothing runs by the name {app} in any environment.{near}',
    hint: '/ship apps shows all that runs. To ship it for the first time: /deploy {app}:TAG ENVIRONMENT',
  },
  NAMED_ALIKE: {
    status: 422,
    retry: 'never',
    say: '“{name}” fits {patterns} of {room} in shipmate.yaml alike, and it must be one of them.',
    hint: 'Have “{name}” written out under {room}, or one of the patterns made narrower. Nothing was changed.',
  },
  UNKNOWN_ENVIRONMENT: {
    status: 404,
    retry: 'never',
    say: 'There is no environment “{name}” in shipmate.yaml.{near}',
    hint: 'Known environments: {known}.',
  },
  OTHER_NAME: {
    status: 422,
    retry: 'never',
    say: 'The app “{name}” would be the workload {workload}, which shipmate.yaml knows as the app “{app}”.',
    hint: 'Ask for {app} instead. Nothing was changed.',
  },
  BESIDE_AN_APP: {
    status: 422,
    retry: 'never',
    say: '“{name}” is a name of what stands beside an app while its new version is judged, so no pattern makes an app of it.',
    hint: 'Ask for the app itself; or have “{name}” written out under apps in shipmate.yaml. Nothing was changed.',
  },
  ENVIRONMENT_NEW: {
    status: 422,
    retry: 'never',
    say: 'The environment {env} is not all there yet (it lacks {lacks}), and several apps can’t make it at once.',
    hint: 'Make it first: {how}. Nothing was changed.',
  },
  NAMESPACE_OF_OTHERS: {
    status: 422,
    retry: 'never',
    say: 'By the pattern “{pattern}” of shipmate.yaml {env} would be the namespace {namespace}, and {why}.',
    hint: 'Take another name; if it is meant, have “{env}” written out under environments in shipmate.yaml. Nothing was changed.',
  },
  UNCOVERED: {
    status: 403,
    retry: 'never',
    say: 'Nothing in shipmate.yaml covers {workload} in {env}: it is no app, and so it is only looked at.',
    hint: 'Nothing was changed. /ship app adopt {workload} in {env} shows the entry that makes it one, to paste under apps; or have a rule of the policy that says uncovered: true.',
  },
  NAMESPACE_GOES: {
    status: 409,
    retry: 'never',
    say: 'The namespace {namespace} is being deleted, and nothing new is let in.',
    hint: 'Ask again once it is gone; /ship namespaces shows what holds it, if anything does.',
  },
  COVERS_OTHER: {
    status: 422,
    retry: 'never',
    say: '{workload} in {env} says of itself that it is {says} (annotation {mark}), and by the pattern “{pattern}” of shipmate.yaml it would be {not}.',
    hint: 'If it is meant, have it written out under apps in shipmate.yaml, or have its owner named in the pattern; else ask its owner. Nothing was changed.',
  },
  UNKNOWN_ANALYSIS: {
    status: 422,
    retry: 'never',
    say: 'The canaries of {app} are to be judged by the analysis “{name}”, which shipmate.yaml does not have.',
    hint: 'Known analyses: {known}. Have it added under analyses. Nothing was changed.',
  },
  NO_OWN_IMAGE: {
    status: 422,
    retry: 'never',
    say: '{app} has no image repository of its own in shipmate.yaml: a tag alone does not say which image, and nothing is pushed for it.',
    hint: 'Name the whole image of {images}: image=REPOSITORY:{tag}; or have image set for the app.',
  },
  IMAGE_WITHOUT_TAG: {
    status: 422,
    retry: 'never',
    say: '“{image}” alone would be the image {repository} in whatever version, and may as well be meant as a tag.',
    hint: 'If the image is meant, say which: image={image}:TAG, or with its digest; if a tag of the app’s own repository is, /deploy {app}:{image}.',
  },
  IMAGE_NOT_OF_APP: {
    status: 422,
    retry: 'never',
    say: '{app} runs images of {repository}; {image} is not one of them.',
    hint: 'Use an image of {repository}; where others may come from is said by image and images of the app in shipmate.yaml.',
  },
} as const satisfies Record<string, FaultEntry>;
