import { beyond, type PodSecurityLevel } from '../../src/core/effects/pod-security.ts';
import { JsonObject } from '../../src/core/json.ts';

/** Objects with pods, and what a change of them goes beyond. */

export type Spec = Record<string, unknown>;
export const object = (spec: Spec, kind = 'DaemonSet', apiVersion = 'apps/v1'): JsonObject =>
  JsonObject.parse({ apiVersion, kind, metadata: { name: 'agent' }, spec });
export const container = (more: Spec = {}, name = 'c'): Spec => ({ name, image: 'agent:1', ...more });
export const workload = (pod: Spec, more: Spec = {}) =>
  object({ replicas: 1, ...more, template: { metadata: { labels: { app: 'agent' } }, spec: pod } });
export const pods = (more: Spec = {}, pod: Spec = {}) => workload({ containers: [container(more)], ...pod });
export const secured = (securityContext: Spec, more: Spec = {}) => pods({ securityContext, ...more });
export const changed = (before: JsonObject, after: JsonObject, level: PodSecurityLevel = 'baseline') =>
  beyond({ before, after }, level);

export const hostPath = (path: string, name = 'v') => ({ name, hostPath: { path } });
export const mount = (more: Spec = {}) => ({ name: 'v', mountPath: '/v', ...more });
export const privileged = { privileged: true };
export const mounts = { volumeMounts: [mount()] };
