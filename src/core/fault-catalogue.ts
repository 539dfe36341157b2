/**
 * Every fault a person can meet: what happened, to what, and what to do next.
 * `docs/errors.md` lists the same codes; a test holds the two together both ways.
 */

import { appFaults } from './app-faults.ts';
import { clusterFaults } from './cluster-faults.ts';
import { hostFaults } from './host-faults.ts';
import { imageFaults } from './image-faults.ts';
import { newWorkloadFaults } from './new-workload-faults.ts';
import { runFaults } from './run-faults.ts';
import { trustFaults } from './trust-faults.ts';

export type FaultEntry = { status: number; retry: 'never' | 'later'; say: string; hint: string };

export const faultCatalogue = {
  BAD_COMMAND: { status: 400, retry: 'never', say: '{problem}', hint: '{usage}' },
  BAD_INPUT: { status: 400, retry: 'never', say: '{problem}', hint: 'Nothing was changed. Correct it and ask again.' },
  ATTACHED_FILE: {
    status: 422,
    retry: 'never',
    say: 'The attached file “{name}” {problem}.',
    hint: 'Nothing was started. {hint}',
  },
  UNKNOWN_OPERATION: {
    status: 404,
    retry: 'never',
    say: 'There is no operation “{name}”.{near}',
    hint: 'Try /ship help for the whole list.',
  },
  UNKNOWN_RUN: {
    status: 404,
    retry: 'never',
    say: 'There is no run “{id}”.',
    hint: 'Copy the id from the run’s message. Finished runs are kept for 30 days, and you see those that you may ask for or decide about.',
  },
  UNKNOWN_ROUTE: {
    status: 404,
    retry: 'never',
    say: 'There is nothing at {method} {path}.',
    hint: 'See /api/v1/cloud-native/openapi.json for what there is.',
  },
  SEALED_ELSEWHERE: {
    status: 500,
    retry: 'never',
    say: 'A stored record is sealed with the key {id}, which is not in ENCRYPTION_KEY.',
    hint: 'Put that key behind the new one, with a comma between: the first seals, all of them open.',
  },
  SEAL_BROKEN: {
    status: 500,
    retry: 'never',
    say: 'The stored record {about} was changed or moved by somebody else than Shipmate.',
    hint: 'Find out who writes to Shipmate’s Redis. Ask for the run anew.',
  },
  UNSEALED: {
    status: 500,
    retry: 'never',
    say: 'The stored record {about} bears no seal, though ENCRYPTION_KEY is set: it is not believed.',
    hint: 'Was it stored before Shipmate sealed it? Then set ACCEPT_UNSEALED_UNTIL to a day in the next 31 days. If not, find out who writes to Shipmate’s Redis.',
  },
  RECORD_UNREADABLE: {
    status: 500,
    retry: 'later',
    say: 'The stored record {about} cannot be read: {problem}.',
    hint: 'Was it stored by a newer Shipmate? Then run that version. If not, find out who writes to Shipmate’s Redis, and delete the record there if it can be spared.',
  },
  STORE_FULL: {
    status: 507,
    retry: 'later',
    say: 'Redis is full, so nothing new can be stored.',
    hint: 'Nothing was started. What is under way goes on, and can be stopped. Give Redis more memory (maxmemory).',
  },
  ...runFaults,
  ...appFaults,
  ...clusterFaults,
  ...newWorkloadFaults,
  ...hostFaults,
  ...trustFaults,
  ...imageFaults,
  DECISION_REFUSED: { status: 409, retry: 'never', say: '{reason}', hint: '{hint}' },
  KEY_REUSED: {
    status: 422,
    retry: 'never',
    say: 'This Idempotency-Key was used before, for another request.',
    hint: 'Nothing was started. Use a new key for each new request.',
  },
  NOT_DEPLOYED: {
    status: 404,
    retry: 'never',
    say: '{app} does not run in {env} yet: {namespace}/{workload} is not in the cluster.',
    hint: 'Deploy it first: /deploy {app}:TAG {env}',
  },
  NO_EARLIER_REVISION: {
    status: 409,
    retry: 'never',
    say: '{app} in {env} has no earlier revision to roll back to.',
    hint: 'Deploy a version that you know is good: /deploy {app}:TAG {env}',
  },
  IMAGE_MALFORMED: {
    status: 400,
    retry: 'never',
    say: '“{image}” is not an image reference.',
    hint: 'Write it as name:tag, host/name:tag or name@sha256:….',
  },
  IMAGE_NOT_FOUND: {
    status: 422,
    retry: 'never',
    say: 'The registry {registry} has no image {image}.{near}',
    hint: 'Build it first (/build {app} TAG), or pick a tag that exists.',
  },
  IMAGE_PLATFORM: {
    status: 422,
    retry: 'never',
    say: 'The registry’s answer for {image} cannot be used: {problem}.',
    hint: 'Check that the tag is a container image and push it again.',
  },
  POLICY_DENIED: { status: 403, retry: 'never', say: '{reason}', hint: '{hint}' },
  NOT_A_MEMBER: {
    status: 403,
    retry: 'never',
    say: 'Shipmate takes requests from full members of this workspace only; you are {kind}.',
    hint: 'Ask a colleague who is a member to do it.',
  },
  NO_LONGER_MEMBER: {
    status: 403,
    retry: 'never',
    say: '{who} asked for this or approved it, and is {kind}; so it was not done.',
    hint: 'Have a full member of the workspace ask for it anew.',
  },
  IDENTITY_UNKNOWN: {
    status: 503,
    retry: 'later',
    say: 'Slack did not say in time who asks or approved, so nothing was started.',
    hint: 'Ask again in a minute.',
  },
  TOKEN_MISSING: {
    status: 401,
    retry: 'never',
    say: 'This address needs a token.',
    hint: 'Send the header Authorization: Bearer <JWT>.',
  },
  TOKEN_INVALID: {
    status: 401,
    retry: 'never',
    say: 'The token was refused: {problem}.',
    hint: 'Ask for a new token.',
  },
  TOKENS_OFF: {
    status: 401,
    retry: 'never',
    say: 'This Shipmate takes no tokens: neither JWT_SECRET nor JWKS_URI is set.',
    hint: 'Set one of them and start Shipmate again; .env.example says how.',
  },
  KEYS_UNREACHABLE: {
    status: 503,
    retry: 'later',
    say: 'The token cannot be checked: the keys at JWKS_URI cannot be fetched.',
    hint: 'Ask again in a minute; if it stays so, look at the identity provider.',
  },
  WEBHOOK_REFUSED: {
    status: 401,
    retry: 'never',
    say: 'The webhook’s bearer token is missing or wrong.',
    hint: 'Set http_config.authorization.credentials in Alertmanager to ALERTMANAGER_TOKEN.',
  },
  WEBHOOK_OFF: {
    status: 401,
    retry: 'never',
    say: 'This Shipmate takes no alerts: ALERTMANAGER_TOKEN is not set.',
    hint: 'Set it here, and as http_config.authorization.credentials in Alertmanager.',
  },
  TOO_LARGE: { status: 413, retry: 'never', say: 'The request is larger than {limit}.', hint: 'Send less.' },
  RATE_LIMITED: { status: 429, retry: 'later', say: 'Too many requests from {who}.', hint: 'Wait a minute.' },
  STORE_DOWN: {
    status: 503,
    retry: 'later',
    say: 'Shipmate cannot reach its store (Redis), so nothing was started.',
    hint: 'Ask again in a minute; if it stays so, look at Redis and at /readyz.',
  },
  DOCKER_UNREACHABLE: {
    status: 503,
    retry: 'later',
    say: 'The Docker daemon at {host} does not answer ({problem}).',
    hint: 'Start it or set DOCKER_HOST, then build again.',
  },
  OPERATION_GONE: {
    status: 500,
    retry: 'never',
    say: 'The run was started by a version of Shipmate that had the operation “{name}”; this one does not.',
    hint: 'Nothing more was done. Ask for it anew.',
  },
  INTERNAL: {
    status: 500,
    retry: 'never',
    say: 'Something went wrong inside Shipmate ({problem}).',
    hint: 'The log has the details under run {run}.',
  },
} as const satisfies Record<string, FaultEntry>;
