import { environmentEntry, environmentNames } from '../core/apps.ts';
import { isSameCluster } from '../core/effects/sites.ts';
import { nearestTo } from '../core/name-pattern.ts';
import type { Settings } from '../core/settings.ts';
import type { SettingsFault } from './unknown-names.ts';

/**
 * A namespace names its environment too. Were the same name another environment by a pattern, what comes out of resolving one name
 * would be somewhere else when it is resolved again: what guards one would be asked about the other.
 * @example `live: {namespace: preview-live}` beside `preview-*: {namespace: 'shop-{env}'}`: which of them is preview-live?
 */
export function twofoldNames(settings: Settings): SettingsFault[] {
  return environmentNames(settings).flatMap((name) => {
    const its = environmentEntry(settings, name)?.its;
    if (!its || nearestTo(settings.environments, its.namespace).kind === 'none') return [];
    const { key, its: other } = environmentEntry(settings, its.namespace) ?? {};
    const same = other?.namespace === its.namespace && isSameCluster(settings, other.cluster, its.cluster);
    if (same || key === its.namespace) return [];
    const problem = `a pattern makes another environment of the name “${its.namespace}”: write that one out too, or make the pattern narrower.`;
    return [{ path: ['environments', name, 'namespace'], problem }];
  });
}
