import { z } from 'zod';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation } from '../../core/operation.ts';
import { Percentage } from '../../core/values.ts';
import { runWrites, writeSteps } from '../kubernetes/writes.ts';
import { planTraffic, trafficPermissions } from './traffic-plan.ts';
import { serviceFields, timeOrOff } from './words.ts';

export const mirror = defineOperation({
  name: 'mirror',
  summary: 'Send a copy of a Service’s requests to another one, whose answers are thrown away',
  effect: 'change',
  input: z.strictObject({
    ...serviceFields,
    to: timeOrOff(Label)
      .describe('The other Service; off for no copies')
      .meta({ examples: ['web-next'] }),
    percent: Percentage.default(100).describe('Of so many of the requests'),
    subset: Label.optional().describe('One of its subsets'),
  }),
  usage: '<service> to <to> in <env> [percent=<percent>] [subset=<subset>] [route=<route>]',
  examples: ['web to old-api in staging percent=10', 'web to off in staging'],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, { to, percent, subset, ...about }) =>
    planTraffic(context, { ...about, mirror: to === null ? null : { service: to, percent, subset } }),
  run: (run) => runWrites(run),
});
