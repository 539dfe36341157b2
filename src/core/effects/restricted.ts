import { environmentEntry } from '../apps.ts';
import type { JsonObject } from '../json.ts';
import type { Site } from '../place.ts';
import type { Settings } from '../settings.ts';
import type { PodSecurityLevel } from './pod-security.ts';
import { podSecurityLevels } from './pod-security.ts';
import { environmentsOf } from './sites.ts';

/** The strictest level that a namespace's pods are held to: that of any environment that it stands for. */
export function levelOf(settings: Settings, { cluster, namespace }: Pick<Site, 'cluster' | 'namespace'>) {
  const asked = environmentsOf(settings, cluster, namespace).map(
    (env): PodSecurityLevel => environmentEntry(settings, env)?.its.podSecurity ?? 'baseline',
  );
  return podSecurityLevels.findLast((level) => asked.includes(level)) ?? 'baseline';
}

/** All that restricted asks of a container, as `kubectl debug --profile=restricted` sets it. */
export const restrictedContext: JsonObject = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** What a container that Shipmate itself thinks up says of its security: what its namespace asks for, where it asks. */
export function contextFor(
  settings: Settings,
  site: Pick<Site, 'cluster' | 'namespace'>,
): { securityContext?: JsonObject } {
  return levelOf(settings, site) === 'restricted' ? { securityContext: restrictedContext } : {};
}
