import { z } from 'zod';
import { differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { at } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { AppRef, EnvRef } from '../../core/place.ts';
import { Replicas } from './fields.ts';
import { roll, rollLimits, rollPermissions, rollSteps } from './roll.ts';
import { withChange, workloadRef } from './workload.ts';

export const scale = defineOperation({
  name: 'scale',
  summary: 'Change how many replicas an app runs',
  effect: 'change',
  input: z.strictObject({ app: AppRef, env: EnvRef, replicas: Replicas }),
  usage: '<app> to <replicas> in <env>',
  examples: ['web to 5 in production'],
  routes: [
    route({
      method: 'PUT',
      path: '/deployments/:namespace/:name/scale',
      summary: 'Scale a deployment',
      request: z.object({ namespace: EnvRef, name: AppRef, replicas: Replicas }),
      input: ({ name, namespace, replicas }) => ({ app: name, env: namespace, replicas }),
    }),
  ],
  needs: ['kube'],
  permissions: rollPermissions,
  steps: rollSteps,
  limits: rollLimits,
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ on, place, signal }, { replicas }) => {
    const kube = on.kube(place.cluster);
    const live = await kube.read(workloadRef(place), signal);
    if (!live) throw fault('NOT_DEPLOYED', place);
    const manifest = withChange(live, { spec: { replicas } });
    const { after, takesOver } = await kube.preview(manifest, signal);
    const now = at(live, 'spec', 'replicas');
    return {
      summary: `${now ?? '?'} → ${replicas} replicas`,
      changes: differences(live, after),
      manifest,
      takesOver,
      ...(typeof now === 'number' && {
        undo: { operation: 'scale', input: { app: place.app, env: place.env, replicas: now } },
      }),
    };
  },
  run: (run) => roll(run),
});
