import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { nameIn } from './reading.ts';
import { routesOfNamespace } from './routes.ts';
import { missing, planWrites, runWrites, writeSteps } from './writes.ts';

export const serviceDelete = defineOperation({
  name: 'service-delete',
  summary: 'Delete a Service',
  effect: 'change',
  input: z.strictObject({ name: ObjectName.describe('The Service'), env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['old-api in staging'],
  routes: [
    route({
      method: 'DELETE',
      path: '/services/:namespace/:name',
      summary: 'Delete a Service',
      request: z.object({ namespace: EnvRef, name: ObjectName }),
      input: ({ namespace, name }) => ({ name, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get,list,delete services', 'list ingresses.networking.k8s.io,httproutes.gateway.networking.k8s.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { name }) => {
    const { namespace } = site;
    if (name === 'kubernetes' && namespace === 'default')
      throw fault('PROTECTED', {
        kind: 'Service',
        name,
        why: 'pods reach the API server by it',
        way: 'Nothing was changed.',
      });
    const kube = on.kube(site.cluster);
    const ref = { apiVersion: 'v1', kind: 'Service', namespace, name };
    const all = await kube.list({ apiVersion: 'v1', kind: 'Service', namespace }, signal);
    const names = all.map(nameIn);
    if (!names.includes(name)) throw missing(ref, didYouMean(name, names));
    const [planned, routes] = await Promise.all([
      planWrites(kube, [{ kind: 'remove', ref }], signal),
      routesOfNamespace(kube, namespace, signal),
    ]);
    const broken = routes.filter(({ service }) => service === name);
    const warning = broken.length > 0 ? `; ${broken.map(({ url }) => url).join(', ')} will lead nowhere` : '';
    return { summary: `deletes Service/${name}${warning}`, ...planned };
  },
  run: (run) => runWrites(run),
});
