import { z } from 'zod';
import { PushSettings } from './host-settings.ts';
import { RepositoryPattern, RepositoryWithBlank } from './image.ts';
import { AppBuild } from './image-settings.ts';
import { Label, withBlank } from './name-pattern.ts';
import { RolloutSettings } from './rollout.ts';

/** The kinds that an app may be; Jobs and CronJobs come to an end, and are none. */
const appKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout'] as const;
export const isAppKind = (kind: string): boolean => appKinds.some((each) => each === kind);

export const AppSettings = z
  .strictObject({
    /** Image repository without a tag: `registry.example.com/team/web`; of a pattern `{app}` in it, as in all that follows, is the app's name. */
    image: RepositoryWithBlank.optional(),
    /** Where its images may come from besides: repositories, with `*` for any letters but “/” and `**` for those too. */
    images: z.array(RepositoryPattern).min(1).max(100).optional(),
    /** Who looks after it: a role. A workload that bears the annotation shipmate.dev/owner of somebody else is not this app. */
    owner: z.string().min(1).max(100).optional(),
    /** What runs it; where it says nothing, a Deployment, or else an Argo Rollout of the same name. */
    kind: z.enum(appKinds).optional(),
    /** Name of the workload, where it is not the app's own name. */
    workload: withBlank(Label, '{app}').optional(),
    /** Name of the container in its pods, where it is not the workload's name. */
    container: withBlank(Label, '{app}').optional(),
    /** Slack channel (id) for what concerns the app but was not asked for in a channel: alerts, REST. */
    channel: z.string().optional(),
    /** How its deploys shift: rolling, blue-green or canary. */
    rollout: RolloutSettings.optional(),
    /** The template of `analyses` that judges its canaries, or `none`. */
    analysis: z.string().optional(),
    /** How its image is built. */
    build: AppBuild.optional(),
    /** What is started by itself. */
    on: z.strictObject({ push: PushSettings.optional() }).optional(),
  })
  .refine(({ image, images }) => (image ?? images) !== undefined, { path: ['image'], error: 'is missing' });
export type AppSettings = z.output<typeof AppSettings>;
