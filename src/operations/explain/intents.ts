import { at, type Json } from '../../core/json.ts';
import { isComplete } from '../../core/observed.ts';
import { type Find, kubectl, kubectlName } from './finding.ts';
import type { Picture } from './picture.ts';

/** How many there were before somebody went to none, where Shipmate knows it. */
function replicasBefore({ history }: Pick<Picture, 'history'>): number {
  const from: (Json | undefined)[] = history.flatMap(({ plan }) =>
    (plan?.changes ?? []).filter(({ path, to }) => path === 'spec.replicas' && to === 0).map((change) => change.from),
  );
  const [last] = from.filter((value) => typeof value === 'number' && value > 0);
  return typeof last === 'number' ? last : 1;
}

/** Somebody wants no pods. */
export const scaledToZero: Find = (picture) => {
  const { workload, place } = picture;
  if (at(workload, 'spec', 'replicas') !== 0) return undefined;
  const replicas = replicasBefore(picture);
  return {
    code: 'scaled-to-zero',
    what: 'it is scaled to zero',
    cause: 'spec.replicas is 0, so no pod is meant to run.',
    remedy: 'If it is to run, scale it up; see below who scaled it down.',
    command: kubectl(picture, 'scale', kubectlName(picture), `--replicas=${replicas}`),
    next: [{ label: `Scale to ${replicas}`, operation: 'scale', input: { app: place.app, env: place.env, replicas } }],
  };
};

/** A paused Deployment takes changes and does not roll them out. */
export const paused: Find = (picture) => {
  const { workload, place } = picture;
  if (at(workload, 'spec', 'paused') !== true) return undefined;
  return {
    code: 'paused',
    what: 'its rollout is paused',
    cause: 'Somebody paused it, so changes of its pods wait.',
    remedy: 'Once the reason for it is over, let it go on:',
    command: kubectl(picture, 'rollout', 'resume', kubectlName(picture)),
    next: [{ label: 'Go on', operation: 'rollout-resume', input: { app: place.app, env: place.env } }],
    ...(isComplete(workload) && { risk: true }),
  };
};

/** A Job or CronJob that is told to wait. */
export const suspended: Find = (picture) => {
  if (at(picture.workload, 'spec', 'suspend') !== true) return undefined;
  const { kind, workload, env } = picture.place;
  return {
    code: 'suspended',
    what: 'it is suspended',
    cause: 'spec.suspend is true, so no pod of it is started.',
    remedy: 'Once the reason for it is over, let it go on:',
    command: kubectl(picture, 'patch', kubectlName(picture), '--type=merge', '-p', '{"spec":{"suspend":false}}'),
    ...(kind === 'CronJob' && {
      next: [{ label: 'Go on', operation: 'cron-resume', input: { name: workload, env } }],
    }),
  };
};
