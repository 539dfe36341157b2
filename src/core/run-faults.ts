import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about runs and their order: why something may not begin, go on, stop or go back. */
export const runFaults = {
  LOCKED: {
    status: 423,
    retry: 'never',
    say: '{owner} has locked {scope} {until}: “{reason}”.',
    hint: 'Ask {owner}, or ask again afterwards. In an emergency --break-glass "why" helps where breakGlass.spares in shipmate.yaml names locks (of everything: stop).',
  },
  FROZEN: {
    status: 423,
    retry: 'never',
    say: '{env} is frozen for {app} {until}, by the freeze “{freeze}” of shipmate.yaml.',
    hint: 'Ask again afterwards. In an emergency --break-glass "why" helps where breakGlass.spares in shipmate.yaml names freezes.',
  },
  TOO_MANY_CHANGES: {
    status: 429,
    retry: 'never',
    say: '{env} takes at most {changes} changes in {minutes} minutes, and has had them.',
    hint: 'Ask again in a while.',
  },
  BREAK_GLASS_DENIED: {
    status: 403,
    retry: 'never',
    say: 'You may not break the glass.',
    hint: 'Those who may: {able}. See breakGlass in shipmate.yaml. Ask again without --break-glass, where nothing else stands in the way.',
  },
  NEVER_UNAPPROVED: {
    status: 403,
    retry: 'never',
    say: '“{operation}” is never done in {env} on one person’s word, and the rule “{rule}” asks for nobody else’s.',
    hint: 'Nothing was changed. Set approvals: 1 for it under policy in shipmate.yaml; breaking the glass does not help here.',
  },
  STEP_TIMED_OUT: {
    status: 504,
    retry: 'never',
    say: 'The step “{step}” took longer than {minutes} minutes and was stopped.',
    hint: 'See in the thread how far it got. Ask again once the cause is known.',
  },
  NOT_KNOWN: {
    status: 500,
    retry: 'never',
    say: 'The step “{step}” was begun, and then its worker was lost: it is not known whether it was done.',
    hint: 'It is not repeated by itself. Look what became of it, then ask anew if it is still wanted.',
  },
  NOT_YOURS_TO_STOP: {
    status: 403,
    retry: 'never',
    say: 'You may not stop run {id}.',
    hint: 'Whoever asked for it can, and everybody who may ask for the same.',
  },
  ALREADY_OVER: {
    status: 409,
    retry: 'never',
    say: 'Run {id} is over already ({state}).',
    hint: 'There is nothing left to stop.',
  },
  NOTHING_ASKED: {
    status: 409,
    retry: 'never',
    say: 'Run {id} does not wait for that answer (any more).',
    hint: 'Look at its message as it is now.',
  },
  NOT_YOURS_TO_ANSWER: {
    status: 403,
    retry: 'never',
    say: 'That question of run {id} is not for you to answer.',
    hint: 'Its message says who is asked.',
  },
  NOT_YOURS_TO_REVIEW: {
    status: 403,
    retry: 'never',
    say: 'There is nothing for you to review in run {id}.',
    hint: 'Where the glass was broken, somebody else than the requester reviews it, once; see breakGlass.reviewers in shipmate.yaml.',
  },
  NOT_TOLD_APART: {
    status: 403,
    retry: 'never',
    say: 'It takes somebody other than {other}, and {you} may be the same person: Shipmate cannot tell.',
    hint: 'List both under people in shipmate.yaml, each person once with all their identities (slack, subject). A machine is listed as a person of its own.',
  },
  UNKNOWN_PERSON: {
    status: 404,
    retry: 'never',
    say: 'I don’t know who “{name}” is.{near}',
    hint: 'Write @NAME as Slack completes it, or a name under people in shipmate.yaml.',
  },
  ALREADY_LOCKED: {
    status: 409,
    retry: 'never',
    say: '{scope} is locked already {until}: “{reason}”.',
    hint: 'Its owner can prolong it; anybody whom the policy allows can lift it with /ship unlock.',
  },
  NO_HEALTHY_REVISION: {
    status: 409,
    retry: 'never',
    say: 'Every earlier revision of {app} in {env} that is still there failed when it was rolled out.',
    hint: 'Deploy a version that you know is good: /deploy {app}:TAG {env}',
  },
  CHANGED_MEANWHILE: {
    status: 409,
    retry: 'later',
    say: 'Somebody else changed the object at the same moment ({problem}).',
    hint: 'Nothing was changed. Ask again: it is planned anew on what is there now.',
  },
  GONE_MEANWHILE: {
    status: 409,
    retry: 'never',
    say: '{namespace}/{workload} was deleted while its rollout was followed.',
    hint: 'Find out who deletes it (kubectl get events -n {namespace}), then deploy it anew.',
  },
  NOT_MADE: {
    status: 422,
    retry: 'never',
    say: 'Nothing was released: {part} did not work. {why}.',
    hint: 'Mend it, then ask for the release again; what was built already is not built anew.',
  },
  PART_CHANGED: {
    status: 409,
    retry: 'never',
    say: 'What releasing {app} would change is not any more what run {run} showed.',
    hint: 'It was not changed. Ask for the release again: it is planned anew on what is there now.',
  },
  NOT_LOCKED: { status: 404, retry: 'never', say: '{scope} is not locked.', hint: 'See /ship queue for all locks.' },
  NOTHING_TO_UNDO: {
    status: 409,
    retry: 'never',
    say: 'Run {id} has nothing that could be undone.',
    hint: 'Undo works for a finished change of something that was there before.',
  },
} as const satisfies Record<string, FaultEntry>;
