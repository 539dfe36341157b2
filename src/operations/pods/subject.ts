import { z } from 'zod';
import type { Target } from '../../core/operation.ts';
import { ObjectName, WorkloadRef } from '../../core/place.ts';

/** What Kubernetes makes its random names of. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';
const ofDeployment = new RegExp(`^(.+)-[${letters}]{5,10}-[${letters}]{5}$`);
const ofDaemonSet = new RegExp(`^(.+)-[${letters}]{5}$`);

/**
 * The workload whose pod a name probably is, by its form alone: `web-6d4f9c6b7-x2v8k` is one of `deployment/web`. Policy and
 * locks are asked about that workload before the cluster is, so whoever uses the pod makes sure that it is right.
 */
export function workloadOfPodName(name: string): string | undefined {
  const deployment = ofDeployment.exec(name)?.[1];
  if (deployment !== undefined) return `deployment/${deployment}`;
  const statefulSet = /^(.+)-\d+$/.exec(name)?.[1];
  if (statefulSet !== undefined) return `statefulset/${statefulSet}`;
  const daemonSet = ofDaemonSet.exec(name)?.[1];
  return daemonSet === undefined ? undefined : `daemonset/${daemonSet}`;
}

function podIn(ref: string): string | undefined {
  const named = /^(?:po|pods?)\/(.*)$/.exec(ref)?.[1];
  return named ?? (!ref.includes('/') && ofDeployment.test(ref) ? ref : undefined);
}

/** The pod's name in `pod/NAME`; undefined for anything else. */
export const podNamed = (ref: string | undefined): string | undefined => /^pod\/(.+)$/.exec(ref ?? '')?.[1];

/** An app, a workload as `KIND/NAME`, or one pod: `pod/NAME`, or its name where that looks like one of a Deployment. */
export const Subject = z
  .string()
  .transform((ref, context) => {
    const pod = podIn(ref);
    const parsed = pod === undefined ? WorkloadRef.safeParse(ref) : ObjectName.safeParse(pod);
    if (parsed.success) return pod === undefined ? parsed.data : `pod/${parsed.data}`;
    context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'is not a name' });
    return z.NEVER;
  })
  .describe('An app of shipmate.yaml, a workload as KIND/NAME, or one pod as pod/NAME')
  .meta({ examples: ['web'] });

/** One of the app's pods: its name, or the end of it that tells it from the others. */
export const PodPart = ObjectName.describe('One of its pods, by its name or the end of it').meta({
  examples: ['x2v8k'],
});

export const Container = ObjectName.describe('A container of the pod; “all” for all of them').meta({
  examples: ['web'],
});

/** What the policy is asked about. */
export function targetOf({ app, env }: { app?: string; env: string }): Target {
  const pod = podNamed(app);
  const workload = pod === undefined ? app : workloadOfPodName(pod);
  return { ...(workload !== undefined && { app: workload }), env };
}
