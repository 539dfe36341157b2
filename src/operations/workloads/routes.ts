import { z } from 'zod';
import { type Route, route } from '../../core/operation.ts';
import { AppRef, EnvRef, ObjectName } from '../../core/place.ts';

/** Below `/deployments` a name is that of an app; below the others, that of a workload. */
type Collection = 'deployments' | 'statefulsets' | 'daemonsets' | 'rollouts' | 'jobs' | 'cronjobs';

/** The kinds whose pods are replaced by new ones. */
export const everyRolling = ['deployments', 'statefulsets', 'daemonsets', 'rollouts'] as const;

/** One route for each of several kinds of workloads: `/statefulsets/:namespace/:name/restart`. */
export function workloadRoutes(spec: {
  method: Route['method'];
  /** What comes behind the name; may be empty. */
  path: '' | `/${string}`;
  summary: string;
  kinds: readonly Collection[];
  /** Other fields of the request, which are fields of the input. */
  more?: z.ZodRawShape;
}): Route[] {
  return spec.kinds.map((kind) =>
    route({
      method: spec.method,
      path: `/${kind}/:namespace/:name${spec.path}`,
      summary: `${spec.summary} (${kind})`,
      request: z.object({ namespace: EnvRef, name: kind === 'deployments' ? AppRef : ObjectName, ...spec.more }),
      input: ({ namespace, name, ...rest }) => ({
        app: kind === 'deployments' ? name : `${kind}/${name}`,
        env: namespace,
        ...rest,
      }),
    }),
  );
}
