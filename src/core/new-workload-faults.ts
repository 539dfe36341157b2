import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about workloads that are not there yet. */
export const newWorkloadFaults = {
  SERVICE_ELSEWHERE: {
    status: 409,
    retry: 'never',
    say: 'There is a Service “{name}” in {namespace} already, and it does not lead to the pods of {app}: it leads to {selector}.',
    hint: 'Nothing was changed. Give the workload another name (apps.{app}.workload in shipmate.yaml), or deploy it without a Service (environments.{env}.newWorkloads.leaveOut: [service]).',
  },
  SERVICE_OF_ANOTHER: {
    status: 409,
    retry: 'never',
    say: 'The Service “{name}” in {namespace} {leads} to pods of {other} ({selector}), and the new pods of {app} would be among them: part of what is sent to {other} would come to {app}.',
    hint: 'Nothing was changed. Give the workload another name (apps.{app}.workload in shipmate.yaml), or let the Service choose the pods of {other} by a label that they alone bear.',
  },
  NAME_OF_OTHER_KIND: {
    status: 409,
    retry: 'never',
    say: 'There is a {other} “{name}” in {namespace} already, and {app} would be a new {kind} of the same name beside it.',
    hint: 'Nothing was changed. If that {other} is {app}, say so (apps.{app}.kind: {other} in shipmate.yaml); else give the workload another name (apps.{app}.workload).',
  },
  NAME_TOO_LONG: {
    status: 422,
    retry: 'never',
    say: '“{name}” has {letters} letters, and a new {kind} may have at most {most}: {why}.',
    hint: 'Nothing was changed. Give it a shorter name: apps.{app}.workload in shipmate.yaml.',
  },
} as const satisfies Record<string, FaultEntry>;
