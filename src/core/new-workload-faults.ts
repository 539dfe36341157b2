import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about workloads that are not there yet. */
export const newWorkloadFaults = {
  SERVICE_ELSEWHERE: {
    status: 409,
    retry: 'never',
    say: 'There is a Service “{name}” in {namespace} already, and it does not lead to the pods of {app}: it leads to {selector}.',
    hint: 'Nothing was changed. Give the workload another name (apps.{app}.workload in shipmate.yaml), or deploy it without a Service (environments.{env}.newWorkloads.leaveOut: [service]).',
  },
  NAME_TOO_LONG: {
    status: 422,
    retry: 'never',
    say: '“{name}” has {letters} letters, and a new {kind} may have at most {most}: {why}.',
    hint: 'Nothing was changed. Give it a shorter name: apps.{app}.workload in shipmate.yaml.',
  },
} as const satisfies Record<string, FaultEntry>;
